// <l2-lab> in pages of other people: what its attributes say, how it stands among others, and what it does with nonsense.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { Figure, SMALL, STRICT, TIMED, attributes, axe, browse, guest, guestPage, host, open, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
after(async () => {
  await browser.close();
  site.close();
});

const FIGURES = ["clock", "law", "predict", "auto", "theory", "limits"];
const QUICK = { ...SMALL, seeds: "1", lambda: "0.1,0.05" };
const AUTO = { lambda: "0.5,0.01", compare: "autol2", seeds: "1", width: "16", depth: "2", steps: "300", measurements: "20" };
const quick = (figure) => (figure === "auto" ? AUTO : figure === "theory" ? {} : QUICK);
const tag = (own, inner = "") => `<l2-lab ${attributes(own)}>${inner}</l2-lab>`;
const said = (page) => page.locator("l2-lab .alerts p").allInnerTexts();

test("attributes, properties and the address have the same names", async (t) => {
  const page = await guest(t, browser, site, tag({ figure: "clock", ...QUICK, lr: "0.05" }));
  const lab = page.locator("l2-lab");
  assert.deepEqual(await lab.evaluate((lab) => [lab.lr, lab.lambda, lab.settings.lr, lab.settings["label-noise"]]), ["0.05", "0.1,0.05", "0.05", "0"]);
  await lab.evaluate((lab) => Object.assign(lab, { lambda: [0.2, 0.1], labelNoise: 0.1, bias: false, lr: null }));
  assert.deepEqual(
    await lab.evaluate((lab) => ["lambda", "label-noise", "bias", "lr"].map((name) => [lab.getAttribute(name), lab.settings[name]])),
    [["0.2,0.1", "0.2,0.1"], ["0.1", "0.1"], ["false", "false"], [null, "0.05"]],
  );
  const { FIELDS } = JSON.parse(`{"FIELDS": ${/FIELDS[^=]*= (\[.*?\n\]);/s.exec(readFileSync("www/src/types.ts", "utf8"))[1]}}`);
  const camel = (name) => name.replace(/-(\w)/g, (_, c) => c.toUpperCase());
  assert.deepEqual(await lab.evaluate((lab, names) => names.filter((name) => !(name in lab)), FIELDS.map(camel)), []);
});

test("events tell what happens, with typed details", async (t) => {
  const page = await guest(t, browser, site, tag({ figure: "clock", ...TIMED }), {
    before: (page) =>
      page.addInitScript(() => {
        window.told = [];
        for (const type of ["l2-ready", "l2-measurement", "l2-peak", "l2-done", "l2-error"]) {
          addEventListener(type, (e) => window.told.push([type, Object.keys(e.detail).sort().join(), e.target.localName]));
        }
      }),
  });
  const clock = new Figure(page, "l2-lab");
  await clock.lab.evaluate((lab) => lab.play());
  await clock.done();
  const told = await page.evaluate(() => window.told);
  const of = (type) => told.filter(([t]) => t === type);
  assert.deepEqual(told[0], ["l2-ready", "figure", "l2-lab"]);
  assert.ok(of("l2-measurement").length > 0);
  assert.deepEqual(of("l2-measurement")[0].slice(1), ["measurements,recording", "l2-lab"]);
  assert.deepEqual(of("l2-peak").map(([, keys]) => keys), Array(3).fill("lambda,lr,seed,t_star,tau_star"));
  assert.deepEqual(of("l2-done"), [["l2-done", "finding,recording", "l2-lab"]]);
  assert.deepEqual(of("l2-error"), []);
  const [csv, toml, svg] = await clock.lab.evaluate((lab) => ["csv", "toml", "svg"].map((what) => lab.export(what)));
  assert.match(csv, /^run,lambda,/);
  assert.match(toml, /^# l2lab sweep/);
  assert.match(svg, /<svg xmlns/);
  await clock.lab.evaluate((lab) => lab.rewind());
  assert.equal(await clock.lab.evaluate((lab) => lab.export("csv")), "");
});

const WRONG = [
  [{ figure: "clok" }, /There is no figure called “clok”; this shows “clock”/],
  [{ lamda: "0.1" }, /no attribute “lamda”; perhaps “lambda” was meant/],
  [{ colour: "red" }, /no attribute “colour”/],
  [{ lambda: "much" }, /lambda cannot be “much”: it takes a number, or numbers separated by commas/],
  [{ model: "transformer" }, /model cannot be “transformer”: it is one of fc, linear, cnn/],
  [{ device: "tpu" }, /device cannot be “tpu”: it is one of auto, cpu, gpu/],
  [{ autoplay: "loud" }, /autoplay cannot be “loud”: it is one of visible, off/],
  [{ theme: "neon" }, /theme cannot be “neon”/],
  [{ lang: "tlh" }, /no words in “tlh” yet; these are in English/],
  [{ controls: "lr lamp" }, /no control called “lamp” here; controls are data, model/],
  [{ for: "nobody" }, /should follow the one called “nobody”, but the page has none/],
  [{ figure: "theory", device: "gpu" }, /device has no effect here, because of figure=theory/],
  [{ steps: "100", tau: "1" }, /tau has no effect here, because of steps/],
];

for (const [wrong, sentence] of WRONG) {
  test(`one sentence and a working figure for ${attributes(wrong)}`, async (t) => {
    const page = await guest(t, browser, site, tag({ ...QUICK, ...wrong }), {
      before: (page) => page.addInitScript(() => addEventListener("l2-error", (e) => (window.wrong = [...(window.wrong ?? []), e.detail.message]))),
    });
    const figure = new Figure(page, "l2-lab");
    await figure.lab.locator(".alerts p").first().waitFor();
    const sentences = await said(page);
    assert.equal(sentences.length, 1, sentences.join("\n"));
    assert.match(sentences[0], sentence);
    assert.deepEqual(await page.evaluate(() => window.wrong), sentences);
    if (wrong.figure === "theory") return;
    await figure.play();
    await figure.done();
  });
}

test("values that only the core can judge are left out when the figure is played, with a sentence", async (t) => {
  const page = await guest(t, browser, site, tag({ ...QUICK, "label-noise": "7", width: "16" }));
  const clock = new Figure(page, "l2-lab");
  await clock.play();
  await clock.done();
  const [sentence] = await said(page);
  assert.match(sentence, /^Some settings are not possible and were left out: .*label-noise.*7.*\.$/);
});

test("a recorded file that is missing, foreign or of another version leads to a sentence", async (t) => {
  const files = {
    "/missing.json": { status: 404, body: "" },
    "/foreign.json": { body: "not json" },
    "/other.json": { body: '{"version": 0, "experiment": {}, "findings": {}}' },
  };
  const page = await guest(t, browser, site, Object.keys(files).map((url) => tag({ recorded: `.${url}` })).join(""), {
    allow: [/404/],
    before: async (page) => {
      for (const [path, answer] of Object.entries(files)) await page.route(`**${path}`, (route) => route.fulfill(answer));
    },
  });
  for (const [i, sentence] of [/missing\.json could not be loaded/, /foreign\.json could not be loaded/, /other\.json is of another version/].entries()) {
    const lab = page.locator("l2-lab").nth(i);
    // Results are loaded when a reader comes near.
    await lab.scrollIntoViewIfNeeded();
    await lab.locator(".alerts").getByText(sentence).waitFor();
  }
});

test("two versions of the script: every figure says so, and works", async (t) => {
  const page = await guest(t, browser, site, `${tag(QUICK)}<script type="module" src="other/l2-lab.js"></script>`, {
    before: (page) =>
      page.route("**/other/*.js", async (route) => {
        const answer = await route.fetch({ url: route.request().url().replace("/other/", "/") });
        const folder = /lab-\w+/.exec(await answer.text())?.[0];
        const script = await route.fetch({ url: `${site.url}${folder}/l2-lab.js` });
        const chunk = /l2-lab-[\w-]+\.js/.exec(await script.text())[0];
        const code = await (await route.fetch({ url: `${site.url}${folder}/${chunk}` })).text();
        const body = code.replace(/(["'`])0\.1\.0\1/, '"9.9.9"').replace(/(["'`])\.\//g, `$1${site.url}${folder}/`);
        assert.ok(body.includes("9.9.9"));
        await route.fulfill({ contentType: "text/javascript", body });
      }),
  });
  const clock = new Figure(page, "l2-lab");
  await clock.lab.getByText("Two versions of l2-lab are on this page, 9.9.9 and 0.1.0").waitFor();
  await clock.play();
  await clock.done();
});

test("locked: nothing but the listed controls changes an experiment", async (t) => {
  const page = await guest(t, browser, site, tag({ ...QUICK, controls: "lambda lr", locked: "" }));
  const clock = new Figure(page, "l2-lab");
  await clock.lab.getByRole("slider").first().waitFor();
  assert.deepEqual(await clock.lab.locator(".field label").evaluateAll((l) => l.map((e) => e.htmlFor)), ["lambda-high", "lambda-low", "lambda-count", "lr"]);
  assert.equal(await clock.lab.locator("details.more").count(), 0);
  const changes = await clock.lab.evaluate((lab) => {
    lab.changes = { lr: "0.2", width: "512", data: "elsewhere" };
    return lab.changes;
  });
  assert.deepEqual(changes, { lr: "0.2" });
  const none = await guest(t, browser, site, tag({ ...QUICK, locked: "" }));
  await none.locator("l2-lab .transport").waitFor();
  assert.equal(await none.locator("l2-lab .field").count(), 0);
});

test("autoplay waits for eyes, takes its turn, and heeds those who want stillness", async (t) => {
  const body = `${tag({ ...QUICK, id: "a", autoplay: "visible" })}${tag({ ...QUICK, id: "b", autoplay: "visible" })}<p style="height:300vh"></p>${tag({ ...QUICK, id: "c", autoplay: "visible" })}`;
  const page = await guest(t, browser, site, body, { context: { viewport: { width: 900, height: 3000 } } });
  const [a, b, c] = ["#a", "#b", "#c"].map((id) => new Figure(page, id));
  await a.status().getByText("Training the grid").waitFor();
  assert.match(await b.lab.locator(".message").innerText(), /Another figure on this page is training/);
  await b.done();
  await a.done();
  assert.equal(await c.lab.evaluate((lab) => lab.bench.state), "idle");
  await c.lab.scrollIntoViewIfNeeded();
  await c.done();
  const still = await guest(t, browser, site, tag({ ...QUICK, autoplay: "visible" }), { context: { reducedMotion: "reduce" } });
  await still.locator("l2-lab").getByRole("button", { name: "Play" }).waitFor();
  await still.waitForTimeout(500);
  assert.equal(await still.locator("l2-lab").evaluate((lab) => lab.bench.state), "idle");
});

test("Play on one figure lets another wait, which then goes on exactly", async (t) => {
  const long = { ...SMALL, width: "64", seeds: "2" };
  const page = await guest(t, browser, site, tag({ ...long, id: "a" }) + tag({ ...QUICK, id: "b" }), { context: { viewport: { width: 900, height: 3000 } } });
  const [a, b] = ["#a", "#b"].map((id) => new Figure(page, id));
  await a.play();
  await page.waitForFunction(() => document.querySelector("#a").bench.live?.traces.every((t) => t.points.length > 2));
  await b.play();
  await a.status().getByText("Waiting for its turn").waitFor();
  await b.done();
  await a.done();
  const csv = await a.csv();
  await a.replay();
  assert.equal(await a.csv(), csv);
});

test("turns that change quickly leave no worker behind, and every figure ends as it would alone", async (t) => {
  const longer = { ...SMALL, width: "64", seeds: "2" };
  const page = await guest(t, browser, site, tag({ ...longer, id: "a" }) + tag({ ...longer, lambda: "0.08,0.04", id: "b" }), { context: { viewport: { width: 900, height: 3000 } } });
  const [a, b] = ["#a", "#b"].map((id) => new Figure(page, id));
  await a.play();
  await page.waitForFunction(() => document.querySelector("#a").bench.live?.traces.some((t) => t.points.length > 2));
  for (const pause of [400, 300, 200, 100, 50, 20, 5, 700, 1]) {
    await page.evaluate((pause) => {
      document.querySelector("#b").play();
      return new Promise((r) => setTimeout(r, pause)).then(() => document.querySelector("#a").play());
    }, pause);
    await page.waitForTimeout(pause);
  }
  await a.done();
  await b.done();
  assert.equal(page.workers().filter((w) => w.url().includes("trainer")).length, 0);
  for (const figure of [a, b]) {
    const csv = await figure.csv();
    await figure.replay();
    assert.equal(await figure.csv(), csv);
  }
});

test("Step in mid-run pauses it, and Play goes on", async (t) => {
  const page = await guest(t, browser, site, tag({ ...SMALL, width: "64" }));
  const clock = new Figure(page, "l2-lab");
  await clock.play();
  await page.waitForFunction(() => document.querySelector("l2-lab").bench.live?.traces.some((t) => t.points.length > 2));
  await clock.button("Step").click();
  await clock.status().getByText("Paused").waitFor();
  await clock.play();
  await clock.done();
});

test("an element that becomes another figure plays at once, and who followed it follows on", async (t) => {
  const page = await guest(t, browser, site, tag({ ...QUICK, id: "a" }) + tag({ figure: "law", for: "a" }), { context: { viewport: { width: 900, height: 3000 } } });
  const [a, law] = [new Figure(page, "#a"), new Figure(page, 'l2-lab[figure="law"]')];
  await a.play();
  await a.done();
  await a.lab.evaluate((lab) => (lab.figure = "predict"));
  await a.lab.getByText("The best λ for a budget").waitFor();
  await law.play();
  await law.done();
  await a.done();
  await a.lab.evaluate((lab) => (lab.controls = "lr"));
  assert.match(await a.status().innerText(), /Done/, "other controls change no run");
  await a.lab.evaluate((lab) => lab.parentNode.append(lab));
  await law.play();
  await a.done();
  await a.lab.evaluate((lab) => lab.remove());
  await law.lab.getByText("should follow the one called “a”, but the page has none").waitFor();
  await law.play();
  await law.status().getByText("Training the grid").waitFor();
});

test("ten figures on a page: one download, idle until played, little memory, and all work", async (t) => {
  const ten = Array.from({ length: 10 }, (_, i) => tag({ ...QUICK, figure: FIGURES.filter((f) => f !== "theory")[i % 5], ...(i % 5 === 3 ? AUTO : {}), id: `l${i}` })).join("");
  const asked = [];
  // A host as they are: what it has sent may be kept for a while.
  const other = await host({ headers: { "content-security-policy": STRICT, "cache-control": "max-age=600" }, pages: { "guest.html": guestPage(ten) } });
  t.after(() => other.close());
  const page = await open(t, browser, `${other.url}guest.html`, {
    before: async (page) => {
      page.on("response", (r) => r.url().endsWith(".wasm") && asked.push(r));
    },
  });
  await page.locator("#l9 text.axis-label").first().waitFor({ state: "attached" });
  await page.waitForLoadState("networkidle");
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const busy = async () => (await devtools.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
  const before = await busy();
  await page.waitForTimeout(3000);
  const idle = (await busy()) - before;
  const resident = async () => {
    const all = await browser.newBrowserCDPSession();
    const { processInfo } = await all.send("SystemInfo.getProcessInfo");
    const of = processInfo.filter((p) => p.type === "renderer").map((p) => Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${p.id}/status`, "utf8"))[1]));
    return Math.max(...of) / 1024;
  };
  const atRest = await resident();
  assert.equal(asked.length, 0, "nothing is loaded before Play");
  assert.equal(page.workers().length, 0);
  for (let i = 0; i < 10; i++) {
    const figure = new Figure(page, `#l${i}`);
    await figure.lab.scrollIntoViewIfNeeded();
    await figure.play();
    await figure.done();
  }
  assert.ok(page.workers().length <= 1, "workers are freed when they have done their work");
  for (let i = 0; i < 2; i++) await devtools.send("HeapProfiler.collectGarbage");
  const used = await resident();
  const downloads = other.sent.filter((file) => file.endsWith(".wasm")).length;
  t.diagnostic(`main thread busy for ${(1000 * idle).toFixed(0)} ms of 3 s; ${atRest.toFixed(0)} MiB at rest, ${used.toFixed(0)} MiB when all have been played; wasm asked for ${asked.length} times, ${downloads} of them over the network`);
  assert.ok(idle < 0.1, `${idle} s of work while idle`);
  assert.ok(atRest < 150, `${atRest} MiB at rest`);
  assert.ok(used < 150, `${used} MiB used`);
  assert.equal(downloads, 1);
});

test("a figure that is removed frees its workers", async (t) => {
  const page = await guest(t, browser, site, tag({ ...SMALL, width: "128" }));
  const clock = new Figure(page, "l2-lab");
  await clock.play();
  await clock.status().getByText("Training the grid").waitFor();
  await clock.lab.evaluate((lab) => lab.remove());
  for (let tries = 0; page.workers().some((w) => w.url().includes("trainer")); tries++) {
    assert.ok(tries < 50, "its workers are still there");
    await page.waitForTimeout(100);
  }
});

test("under hostile styles and a strict policy a figure looks as it does elsewhere", async (t) => {
  const recorded = { recorded: "./recorded/clock.json" };
  const frame = (style) => `<style>body{margin:0}${style}</style>${tag(recorded)}`;
  const policy = STRICT.replace("default-src 'self';", "default-src 'self'; style-src 'self' 'unsafe-inline';");
  const shots = [];
  const hostile = `* { all: unset !important } head, head * { display: none !important } html, body { display: block !important }
    body, body * { font: italic 40px/3 serif !important; color: red !important; letter-spacing: 1em !important; text-transform: uppercase !important;
      text-indent: 3em !important; white-space: pre !important; width: 99px !important; min-width: 400px !important; text-align: right !important;
      visibility: hidden !important; cursor: none !important; display: inline !important; padding: 9px !important; opacity: 0.1 !important; float: right !important }
    body { width: 1200px !important; padding: 0 !important; float: none !important; display: block !important } body > style { display: none !important }`;
  for (const style of ["body { width: 1200px }", hostile]) {
    const page = await guest(t, browser, site, frame(style), { headers: { "content-security-policy": policy } });
    const lab = page.locator("l2-lab");
    await page.waitForFunction(() => document.querySelector("l2-lab")?.shadowRoot?.querySelector(".finding")?.textContent);
    shots.push(await lab.evaluate(async (lab) => {
      await new Promise((r) => setTimeout(r, 300));
      const [boxes, box] = [[], lab.getBoundingClientRect()];
      const visit = (root) => {
        for (const e of root.querySelectorAll("*")) {
          const { x, y, width, height } = e.getBoundingClientRect();
          const s = getComputedStyle(e);
          boxes.push([e.localName, Math.round(x - box.x), Math.round(y - box.y), Math.round(width), Math.round(height), s.color, s.fontSize, s.visibility].join(" "));
          if (e.shadowRoot) visit(e.shadowRoot);
        }
      };
      visit(lab.shadowRoot);
      return boxes;
    }));
  }
  assert.deepEqual(shots[1], shots[0]);
});

test("nothing moves, and the page's thread is left alone, before the reader does anything", async (t) => {
  const body = `<main><p>Before.</p>${FIGURES.map((figure) => tag({ figure, ...(["clock", "theory", "auto"].includes(figure) ? { recorded: `./recorded/${figure}.json` } : {}) })).join("<p>Between.</p>")}<p>After.</p></main>`;
  const page = await guest(t, browser, site, body, {
    before: (page) =>
      page.addInitScript(() => {
        window.shift = 0;
        window.long = [];
        new PerformanceObserver((list) => list.getEntries().forEach((e) => (window.shift += e.hadRecentInput ? 0 : e.value))).observe({ type: "layout-shift", buffered: true });
        new PerformanceObserver((list) => window.long.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({ type: "longtask", buffered: true });
      }),
  });
  await page.locator("l2-lab").last().locator("text.axis-label").first().waitFor({ state: "attached" });
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(500);
  const [shift, long] = await page.evaluate(() => [window.shift, window.long]);
  t.diagnostic(`layout shift ${shift.toFixed(4)}; long tasks ${long.join(", ") || "none"}`);
  assert.ok(shift < 0.001, `layout shift ${shift}`);
  assert.ok(Math.max(0, ...long) < 200, `a task of ${Math.max(...long)} ms`);
  assert.equal(page.workers().length, 0);
});

for (const [lang, sentence, dir] of [["de", "Jede", "ltr"], ["en-x-long", "ẍẍẍ", "ltr"], ["en-x-rtl", "\u202e", "rtl"]]) {
  test(`every figure speaks ${lang}, also on a phone`, async (t) => {
    const page = await guest(t, browser, site, FIGURES.map((figure) => tag({ figure, ...quick(figure), lang })).join(""), {
      context: { viewport: { width: 320, height: 700 } },
    });
    for (const [i, figure] of FIGURES.entries()) {
      const lab = page.locator("l2-lab").nth(i);
      await page.waitForFunction(([i, dir]) => document.querySelectorAll("l2-lab")[i].shadowRoot.querySelector("article")?.dir === dir && document.querySelectorAll("l2-lab")[i].shadowRoot.querySelector("article")?.lang !== "en", [i, dir]);
      for (const details of await lab.locator("details").all()) await details.evaluate((d) => (d.open = !d.matches(".menu")));
      const text = await lab.evaluate((lab) => lab.shadowRoot.textContent);
      if (lang === "de") {
        const english = text.match(/\b(the|and|of|with|what|this)\b/gi) ?? [];
        assert.deepEqual(english, [], `${figure} speaks English in between: ${text.replace(/\s+/g, " ").slice(0, 3000)}`);
      } else {
        assert.ok(text.includes(sentence), figure);
      }
    }
    const { width, out } = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      out: [...document.querySelectorAll("l2-lab")].flatMap((lab) =>
        [...lab.shadowRoot.querySelectorAll("button, input, select, summary, p, legend, label")]
          .filter((e) => e.getBoundingClientRect().width > 0 && !e.closest(".unseen"))
          .filter((e) => e.getBoundingClientRect().right > 321 || e.getBoundingClientRect().left < -1)
          .map((e) => `${lab.getAttribute("figure")} ${e.localName} ${e.textContent.trim().slice(0, 40)}`),
      ),
    }));
    assert.deepEqual(out, []);
    assert.ok(width <= 320, `${width} pixels wide`);
  });
}

test("a figure speaks the language around it, and two may speak two", async (t) => {
  const page = await guest(t, browser, site, `<div lang="de-AT">${tag({ ...QUICK, id: "a" })}</div>${tag({ ...QUICK, id: "b" })}`);
  const [a, b] = ["#a", "#b"].map((id) => page.locator(id));
  await a.locator("article[lang=de]").waitFor();
  assert.equal(await b.locator("article").getAttribute("lang"), "en");
  await a.locator("#play").click();
  await a.locator(".status").getByText("Fertig").waitFor({ timeout: 60_000 });
  await b.evaluate((lab) => (lab.lang = "de"));
  await b.locator("article[lang=de]").waitFor();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in any figure with everything open, ${colorScheme}`, async (t) => {
    const body = `<main><h1>Host</h1><h2>Figures</h2>${FIGURES.map((figure) => tag({ figure, ...quick(figure), ...(figure === "clock" ? { lamda: "1" } : {}) })).join("")}</main>`;
    const page = await guest(t, browser, site, body, { context: { colorScheme } });
    await page.locator("l2-lab").last().locator(".transport").waitFor();
    await page.evaluate(() => {
      for (const lab of document.querySelectorAll("l2-lab")) for (const d of lab.shadowRoot.querySelectorAll("details")) d.open = true;
    });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.flat().join(" ")).join("; ")}`), []);
  });
}

test("every figure goes by keyboard", async (t) => {
  const page = await guest(t, browser, site, FIGURES.map((figure) => tag({ figure, ...quick(figure) })).join(""));
  await page.locator("l2-lab").last().locator(".transport").waitFor();
  const here = () =>
    page.evaluate(() => {
      let node = document.activeElement;
      while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
      const label = node?.closest("label");
      const shown = (e) => e && Number.parseFloat(getComputedStyle(e).outlineWidth) >= 2 && getComputedStyle(e).outlineStyle !== "none";
      const host = node?.getRootNode().host;
      return { figure: (host?.localName === "l2-chart" ? host.getRootNode().host : host)?.getAttribute("figure"), id: node?.id, tag: node?.localName, shown: Boolean(shown(node) || shown(label)) };
    });
  const stops = new Map(FIGURES.map((f) => [f, 0]));
  for (let i = 0; i < 400; i++) {
    await page.keyboard.press("Tab");
    const { figure, id, tag, shown } = await here();
    if (!figure) break;
    assert.ok(shown, `the focus shows on ${figure} ${tag}#${id}`);
    stops.set(figure, stops.get(figure) + 1);
    if (tag === "summary") await page.keyboard.press("Enter");
    if (id === "play") await page.keyboard.press("Enter");
  }
  for (const [figure, count] of stops) assert.ok(count >= (figure === "theory" ? 4 : 12), `${figure} has ${count} stops`);
  const last = new Figure(page, 'l2-lab[figure="limits"]');
  await last.done();
});

test("a click on the figure's title gives the focus to its first control", async (t) => {
  const page = await guest(t, browser, site, tag(QUICK));
  await page.locator("l2-lab h3").click();
  assert.equal(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.id), "play");
});

test("what cannot start says why in the figure, and shows the author's fallback", async (t) => {
  const policy = STRICT.replace(" 'wasm-unsafe-eval'", "");
  const body = tag(QUICK, '<p slot="fallback">A picture instead.</p><span slot="caption">Mine.</span>');
  const other = await host({ headers: { "content-security-policy": policy }, pages: { "guest.html": guestPage(body) } });
  t.after(() => other.close());
  const page = await open(t, browser, `${other.url}guest.html`, { allow: [/WebAssembly|wasm/] });
  const clock = new Figure(page, "l2-lab");
  assert.equal(await page.getByText("A picture instead.").isVisible(), false);
  await clock.play();
  await clock.lab.getByText("This page’s security policy forbids WebAssembly").waitFor();
  assert.equal(await page.getByText("A picture instead.").isVisible(), true);
  assert.equal(await page.getByText("Mine.").isVisible(), true);
});

test("Share makes HTML that gives the same figure elsewhere, with the chosen controls", async (t) => {
  const page = await open(t, browser, `${site.url}?v=1&${new URLSearchParams(QUICK)}`);
  const lab = page.locator("#clock");
  await lab.locator("summary", { hasText: "Share" }).click();
  const code = () => lab.locator("#share-code").inputValue();
  assert.match(await code(), /\?v=1&.*width=16/);
  await lab.getByText("HTML tag", { exact: true }).click();
  await lab.getByRole("button", { name: "None", exact: true }).click();
  await lab.locator("details.share").getByRole("checkbox", { name: "Learning rate η" }).check();
  await lab.getByRole("checkbox", { name: "Everything else stays as it is" }).check();
  const tagged = await code();
  assert.match(tagged, /<l2-lab figure="clock" [^>]*width="16" controls="lr" locked><\/l2-lab>$/);
  await lab.getByRole("button", { name: "All", exact: true }).click();
  assert.match(await code(), /controls="data model .*" locked>/, "what is ticked is what readers get");
  await lab.getByRole("button", { name: "None", exact: true }).click();
  await lab.locator("details.share").getByRole("checkbox", { name: "Learning rate η" }).check();
  const other = await guest(t, browser, site, tagged, { script: false });
  const figure = new Figure(other, "l2-lab");
  await figure.play();
  await figure.done();
  assert.deepEqual(await figure.lab.locator(".field label").evaluateAll((l) => l.map((e) => e.htmlFor)), ["lr"]);
  await lab.getByText("iframe", { exact: true }).click();
  const framed = await guest(t, browser, site, await code(), { script: false });
  const inner = framed.frameLocator("iframe").locator("l2-lab");
  await inner.getByRole("button", { name: "Play" }).click();
  await inner.locator(".status").getByText("Done").waitFor({ timeout: 60_000 });
  assert.equal(await inner.evaluate((lab) => lab.export("csv")), await figure.csv());
  assert.deepEqual(await inner.locator(".field label").evaluateAll((l) => l.map((e) => e.htmlFor)), ["lr"]);
});

test("README's line puts a figure into a page", async (t) => {
  const readme = readFileSync("README.md", "utf8");
  const line = /```html\n(.*l2-lab\.js.*)\n```/.exec(readme)?.[1];
  assert.ok(line, "README.md has the line");
  const body = line.replaceAll(/(src|href)="[^"]*\/(l2-lab\.(js|css))"/g, '$1="$2"').replace('seed="1"', `seed="1" seeds="1" width="16" depth="2" tau="1"`);
  const page = await guest(t, browser, site, body, { script: false });
  const figure = new Figure(page, "l2-lab");
  await figure.play();
  await figure.done();
  assert.deepEqual(await said(page), []);
});
