// Makes the README's pictures of the page and the lesson: node tests/page/pictures.mjs (L2LAB and PAGE as in site.mjs).
import { join } from "node:path";
import { Figure, ROOT, browse, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
const to = (name) => join(ROOT, "www/figures", name);

async function opened(path, context) {
  const page = await (await browser.newContext({ viewport: { width: 1100, height: 1000 }, ...context })).newPage();
  await page.goto(site.url + path);
  return page;
}

const page = await opened("");
const clock = new Figure(page);
await clock.play();
await clock.done(300_000);
await page.mouse.move(0, 0);
await page.evaluate(() => document.activeElement.blur());
await clock.lab.screenshot({ path: to("page.png") });

const theory = new Figure(page, 'l2-lab[figure="theory"]');
await theory.visit();
await page.waitForTimeout(500);
await theory.lab.screenshot({ path: to("theory.png") });

const phone = await opened("", { viewport: { width: 360, height: 1100 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true, colorScheme: "dark" });
await new Figure(phone).visit();
await phone.evaluate(() => document.querySelector("#clock").scrollIntoView());
await phone.waitForTimeout(500);
await phone.screenshot({ path: to("phone.png") });

const lesson = await opened("lesson.html");
await lesson.locator("form.exercise").first().scrollIntoViewIfNeeded();
await lesson.locator("l2-lab").first().evaluate((lab) => window.scrollTo(0, lab.getBoundingClientRect().bottom + scrollY - 320));
await lesson.waitForTimeout(1500);
await lesson.screenshot({ path: to("lesson.png") });

await browser.close();
site.close();
