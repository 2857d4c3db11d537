// A site of one lesson.
export default { root: "src", title: "When to stop", toc: false, pager: false };
