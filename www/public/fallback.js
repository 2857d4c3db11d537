// Says what is wrong where the page's module cannot run: opened as a file, too old a browser, or a script that did not arrive.
(function () {
  "use strict";
  function say(text) {
    var place = document.getElementById("fallback");
    if (!place || !place.hidden) return;
    place.textContent = text;
    place.hidden = false;
    document.documentElement.setAttribute("data-broken", "");
  }
  if (location.protocol === "file:") {
    say(
      "This page was opened as a file, and browsers do not run modules from files. Serve its folder instead: run “l2lab serve”, or " +
        "“python3 -m http.server” in that folder, and open the address that is printed.",
    );
    return;
  }
  if (!("noModule" in HTMLScriptElement.prototype) || !window.customElements || !window.ResizeObserver || !window.WebAssembly) {
    say("This browser is too old for the figures: they need one from 2023 or later, such as a current Chrome, Firefox, Edge or Safari.");
    return;
  }
  window.addEventListener("load", function () {
    if (customElements.get("l2-lab")) return;
    // A sandboxed frame is of no origin: what it loads comes from elsewhere.
    say(
      self.origin === "null"
        ? "This figure could not be loaded. It is in a sandboxed frame, so its server must send the header “Access-Control-Allow-Origin: *” " +
            "with every file; if it does, check the connection and reload the page."
        : "The figures could not be loaded. Check the connection and reload the page; if that does not help, the server may be sending " +
            "scripts in a form that this browser refuses.",
    );
  });
})();
