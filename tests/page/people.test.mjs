// The page for everyone: keyboard, phone, screen reader, dark and light, still and quiet.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ADAPT, Figure, SMALL, TIMED, address, autoOf, axe, browse, open, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
after(async () => {
  await browser.close();
  site.close();
});

/** What has the focus, through shadow roots, and whether one can see that. */
function focused(page) {
  return page.evaluate(() => {
    let node = document.activeElement;
    while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    const shown = (element) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
    };
    // A radio button is drawn by its label.
    const label = node.closest("label");
    const box = node.getBoundingClientRect();
    return {
      tag: node.localName,
      figure: node.getRootNode().host?.getAttribute?.("figure") ?? node.getRootNode().host?.getRootNode().host?.getAttribute("figure") ?? null,
      type: node.getAttribute("type"),
      id: node.id,
      text: (node.getAttribute("aria-label") ?? label?.textContent ?? node.textContent ?? "").trim(),
      visible: shown(node) || (label !== null && shown(label)),
      onScreen: box.bottom > 0 && box.top < innerHeight,
    };
  });
}

/** Presses Tab until `wanted`; everything on the way has to show that it has the focus. */
async function tabTo(page, wanted, key = "Tab") {
  const seen = [];
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press(key);
    const now = await focused(page);
    seen.push(now);
    assert.ok(now.visible, `the focus shows on ${JSON.stringify(now)}`);
    assert.ok(now.onScreen, `the focus is on the screen, on ${JSON.stringify(now)}`);
    if (wanted(now)) return now;
  }
  return assert.fail(`not reached by ${key}: ${seen.map((s) => s.text || s.tag).join(" | ").slice(0, 2000)}`);
}

test("everything goes by keyboard alone", async (t) => {
  const page = await open(t, browser, address(site.url));
  const clock = new Figure(page);
  await clock.button("Play").waitFor();
  const skip = await tabTo(page, () => true);
  assert.equal(skip.text, "Skip to the text");
  await page.keyboard.press("Enter");
  await tabTo(page, (f) => f.id === "play" && f.figure === "clock");
  await page.keyboard.press("Enter");
  await clock.status().getByText("Training the grid").waitFor();
  await page.keyboard.press("Space");
  await clock.status().getByText("Paused").waitFor();
  await page.keyboard.press("Space");
  await clock.done();
  assert.equal((await focused(page)).text, "Replay", "the focus stays where it was");

  await tabTo(page, (f) => f.type === "radio");
  await page.keyboard.press("ArrowRight");
  assert.equal(await clock.lab.locator("text.axis-label[text-anchor=middle]").textContent(), "steps t");
  await tabTo(page, (f) => f.type === "radio" && f.text === "test accuracy");
  await page.keyboard.press("ArrowRight");
  assert.equal(await clock.lab.locator("text.axis-label").first().textContent(), "test loss");

  const chart = await tabTo(page, (f) => f.figure === "clock" && f.text.startsWith("Test loss against"));
  assert.equal(chart.tag, "div");
  await page.keyboard.press("ArrowRight");
  const spoken = clock.lab.locator("l2-chart [aria-live]");
  assert.match(await spoken.innerText(), /^λ = 0.1: step [\d.]+, loss [\d.]+$/);
  await page.keyboard.press("ArrowDown");
  assert.match(await spoken.innerText(), /^λ = 0.03: step/);
  assert.equal(await clock.lab.locator(".readout").count(), 1);
  await page.keyboard.press("Escape");
  assert.equal(await clock.lab.locator(".readout").count(), 0);

  await tabTo(page, (f) => f.id === "width");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await clock.lab.evaluate((lab) => lab.changes.width), "8");
  assert.equal((await focused(page)).id, "width", "the focus stays where it was");
  await tabTo(page, (f) => f.tag === "summary" && f.text === "More settings");
  await page.keyboard.press("Enter");
  await tabTo(page, (f) => f.id === "bias");
  await page.keyboard.press("Space");
  assert.equal(await clock.lab.evaluate((lab) => lab.changes.bias), "true");
  await tabTo(page, (f) => f.tag === "summary" && f.text === "Export");
  await page.keyboard.press("Enter");
  await tabTo(page, (f) => f.text === "Experiment, TOML");
  await page.keyboard.press("Escape");
  assert.equal((await focused(page)).text, "Export", "Escape closes the menu and gives the focus back");
  await tabTo(page, (f) => f.id === "lr-list", "Shift+Tab");
  // And through everything else, to the end of the page.
  await tabTo(page, (f) => f.figure === "limits" && f.tag === "summary" && f.text === "Export");
});

/** Every control, with where it is; what is folded away is opened first. */
function controls(page) {
  return page.evaluate(() => {
    const found = [];
    const visit = (root) => {
      for (const details of root.querySelectorAll("details.more")) details.open = true;
      for (const element of root.querySelectorAll("*")) {
        if (element.matches("a[href], button, summary, input, select")) {
          const box = (element.closest(".options label") ?? element).getBoundingClientRect();
          found.push({ what: `${element.localName}#${element.id} ${element.textContent.trim()}`, left: box.left, right: box.right, width: box.width, height: box.height, inText: element.matches("p a, dd a") });
        }
        if (element.shadowRoot) visit(element.shadowRoot);
      }
    };
    visit(document);
    return { found, width: document.documentElement.scrollWidth, screen: innerWidth };
  });
}

test("a phone 320 pixels wide has everything within reach", async (t) => {
  const page = await open(t, browser, address(site.url), {
    context: { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  });
  const clock = new Figure(page);
  await clock.button("Play").tap();
  await clock.done();
  await clock.lab.getByText("epochs", { exact: true }).tap();
  const { found, width, screen } = await controls(page);
  assert.equal(screen, 320);
  assert.ok(width <= 320, `the page is ${width} pixels wide`);
  assert.ok(found.length > 60);
  // Closed menus have no size.
  for (const { what, left, right, width, height, inText } of found.filter((c) => c.width > 0 && !c.what.includes("Skip"))) {
    assert.ok(left >= 0 && right <= 320, `${what} lies between ${left} and ${right}`);
    // WCAG 2.2: large enough for a finger, but for links in a line of text.
    assert.ok(inText || (width >= 24 && height >= 24), `${what} is ${width} × ${height}`);
  }
  const auto = autoOf(page);
  await auto.visit();
  for (const { lab } of [clock, auto]) {
    const cut = await lab.locator("l2-chart svg text").evaluateAll((texts) =>
      texts.filter((e) => e.getBoundingClientRect().right > innerWidth || e.getBoundingClientRect().left < 0).map((e) => e.textContent),
    );
    assert.deepEqual(cut, [], "text of the chart that does not fit");
  }
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing before, while and after a run, ${colorScheme}`, async (t) => {
    const page = await open(t, browser, `${address(site.url)}&lamda=1`, { context: { colorScheme } });
    await page.evaluate(axe);
    const clock = new Figure(page);
    const check = async (when) => {
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
      const list = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.flat().join(" ")).join("; ")}`);
      assert.deepEqual(list, [], when);
    };
    await clock.lab.getByText("Ignored from the link").waitFor();
    await check("with an alert");
    await clock.play();
    await clock.status().getByText("Training the grid").waitFor();
    await check("while it trains");
    await clock.done();
    await clock.lab.locator("summary", { hasText: "More settings" }).click();
    await clock.lab.locator("summary", { hasText: "Export" }).click();
    await check("when it is done, and all is open");
    await clock.button("Rewind").click();
    await check("rewound");
  });

  test(`axe finds nothing where λ adapts, ${colorScheme}`, async (t) => {
    const page = await open(t, browser, site.url, { context: { colorScheme } });
    await page.evaluate(axe);
    const auto = autoOf(page);
    const check = async (when) => {
      const { violations } = await page.evaluate(() => window.axe.run("#auto", { resultTypes: ["violations"] }));
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.flat().join(" ")).join("; ")}`), [], when);
    };
    await auto.visit();
    await auto.lab.locator("summary", { hasText: "More settings" }).click();
    await check("recorded, and all is open");
    await auto.lab.evaluate((lab, settings) => (lab.changes = settings), ADAPT);
    await auto.play();
    await auto.done();
    await check("when it is done");
  });
}

test("schedules are chosen by keyboard, and λ is read out", async (t) => {
  const page = await open(t, browser, site.url);
  const auto = autoOf(page);
  await auto.visit();
  const box = (name) => auto.lab.getByRole("group", { name: "Beside constants" }).getByRole("checkbox", { name, exact: true });
  const changes = () => auto.lab.evaluate((lab) => lab.changes);
  await box("AutoL2").focus();
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).text, "Reference AutoL2");
  await page.keyboard.press("Space");
  assert.deepEqual(await changes(), { compare: "autol2,autol2-reference" });
  await page.keyboard.press("Space");
  assert.deepEqual(await changes(), {});

  const chart = auto.lab.locator("l2-chart").nth(1);
  await chart.locator(".frame").focus();
  await page.keyboard.press("ArrowDown");
  assert.match(await chart.locator("[aria-live]").innerText(), /^λ = 0.03: step 3000, λ 0.03$/);
  for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowUp");
  await page.keyboard.press("End");
  assert.match((await chart.locator("[aria-live]").innerText()).replaceAll("\u202f", ""), /^AutoL2: step 3000, λ /);
  assert.match(await chart.locator("#summary").textContent(), /AutoL2: λ goes from 0\.1 to /);
});

test("a screen reader hears of times and of the end", async (t) => {
  const page = await open(t, browser, address(site.url, TIMED));
  const clock = new Figure(page);
  await page.evaluate(() => {
    window.heard = [];
    const status = document.querySelector("#clock").shadowRoot.querySelector("article > [role=status]");
    new MutationObserver(() => window.heard.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
  });
  await clock.play();
  await clock.done();
  const heard = await page.evaluate(() => window.heard.map((text) => text.replaceAll("\u00a0", " ")));
  assert.match(heard[0], /^Timed: λ = 0\.2, t\* at τ = [\d.]+; λ = 0\.1, /);
  assert.match(heard.at(-1), /^Done\. \S/);
  assert.ok(heard.length < 5, "it does not talk all the time");
});

test("nothing moves for those who asked for that", async (t) => {
  const page = await open(t, browser, address(site.url), { context: { reducedMotion: "reduce" } });
  const clock = new Figure(page);
  await clock.play();
  const moving = () =>
    page.evaluate(() => {
      const found = document.getAnimations().map((a) => `animation of ${a.effect?.target?.localName}`);
      const visit = (root) => {
        for (const element of root.querySelectorAll("*")) {
          const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
          if (transitionDuration.split(", ").some((d) => d !== "0s")) found.push(`transition of ${element.localName}`);
          if (animationName !== "none" || scrollBehavior === "smooth") found.push(`${animationName} ${scrollBehavior} of ${element.localName}`);
          if (element.shadowRoot) visit(element.shadowRoot);
        }
      };
      visit(document);
      return found;
    });
  assert.deepEqual(await moving(), []);
  await clock.done();
  assert.deepEqual(await moving(), []);
});

for (const width of [320, 768, 1280]) {
  test(`nothing shifts while the page loads and trains, ${width} pixels wide`, async (t) => {
    const page = await open(t, browser, site.url, {
      context: { viewport: { width, height: 900 } },
      before: (page) =>
        page.addInitScript(() => {
          window.shifts = [];
          new PerformanceObserver((list) => {
            for (const e of list.getEntries()) window.shifts.push({ value: e.value, what: e.sources.map((s) => s.node?.className || s.node?.nodeName) });
          }).observe({ type: "layout-shift", buffered: true });
        }),
    });
    const clock = new Figure(page);
    const shifts = async (when) => {
      const all = await page.evaluate(() => window.shifts);
      const sum = all.reduce((total, s) => total + s.value, 0);
      assert.ok(sum < 0.02, `${when}: ${sum} by ${JSON.stringify(all)}`);
    };
    await page.waitForLoadState("networkidle");
    for (const name of ["law", "predict", "auto", "theory", "limits"]) await new Figure(page, `l2-lab[figure="${name}"] >> nth=0`).visit();
    await shifts("while it loads");
    await clock.button("Play").scrollIntoViewIfNeeded();
    await clock.play();
    await clock.lab.locator("svg g > circle").first().waitFor();
    await clock.button("Rewind").click();
    // Shifts right after a click count too: the buttons must not run away from the pointer.
    await shifts("while it trains");
    await clock.lab.evaluate((lab, settings) => (lab.changes = settings), SMALL);
    await clock.play();
    await clock.done();
    await shifts("when it is done");
  });
}
