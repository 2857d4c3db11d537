// The lesson: its figures are there, and every exercise is fair to what a reader's own run says.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ADAPT, Figure, TIMED, axe, browse, open, serve } from "./site.mjs";

const [site, browser] = await Promise.all([serve(), browse()]);
after(async () => {
  await browser.close();
  site.close();
});

const URL_OF = `${site.url}lesson.html`;
const NAMES = ["clock", "law", "predict", "auto", "theory", "limits"];
/** What a reader has to do before anything is checked. */
const NOT_YET = /^Not yet\. Press Play first/;
/** A network beside which the linear model can be put, a second of work. */
const NETWORK = { model: "fc", lr: "0.1", lambda: "0.1,0.03", seeds: "2", width: "32", depth: "3", measurements: "30" };

const figure = (page, name) => new Figure(page, `l2-lab[figure="${name}"]`);

/** One exercise, and what a reader does with it. */
class Exercise {
  constructor(page, name) {
    this.form = page.locator(`form[name="${name}"]`);
  }

  async answer(value) {
    const number = this.form.locator("input[type=number]");
    if ((await number.count()) > 0) await number.fill(String(value));
    else await this.form.locator(`input[value="${value}"]`).check();
    await this.form.getByRole("button", { name: "Check", exact: true }).click();
  }

  /** Whatever of several answers is none of `these`. */
  async other(...these) {
    const all = await this.form.locator("input[type=radio]").evaluateAll((inputs) => inputs.map((i) => i.value));
    return all.find((value) => !these.includes(value));
  }

  async says() {
    return (await this.form.locator("output").innerText()).replaceAll("\u00a0", " ");
  }

  async state(is) {
    await this.form.and(this.form.page().locator(`[data-state="${is}"]`)).waitFor();
  }
}

/** The lesson, with all recordings that its figures tell of in `window.told`, by their ids. */
async function lesson(t, options = {}) {
  return open(t, browser, URL_OF, {
    ...options,
    before: (page) =>
      page.addInitScript(() => {
        window.told = {};
        addEventListener("l2-done", ({ target, detail }) => (window.told[target.id] ??= []).push(detail.recording));
      }),
  });
}

const recordings = (page, id) => page.evaluate((id) => window.told[id] ?? [], id);
const change = (page, id, settings) => page.locator(`#${id}`).evaluate((lab, more) => (lab.changes = { ...lab.changes, ...more }), settings);
const timed = ({ findings }) => findings.cells.filter((c) => c.t_star > 0).sort((a, b) => b.lambda - a.lambda);
const nearest = (answers, factor) => Object.entries(answers).sort(([, a], [, b]) => Math.abs(Math.log(factor / a)) - Math.abs(Math.log(factor / b)))[0][0];
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

test("six figures, each with its exercise, and ways there and back", async (t) => {
  const page = await lesson(t);
  assert.deepEqual(await page.locator("l2-lab").evaluateAll((labs) => labs.map((l) => l.figure)), NAMES);
  assert.deepEqual(await page.locator("form.exercise").evaluateAll((forms) => forms.map((f) => f.name)), NAMES);
  for (const name of NAMES) {
    await figure(page, name).visit();
    assert.ok((await figure(page, name).lab.locator("svg path.line, svg circle.dot").count()) > 1, `${name} shows something`);
    assert.equal(await figure(page, name).alerts(), "");
  }
  await page.getByRole("link", { name: "Back to the main page" }).click();
  await page.locator("#clock").waitFor();
  await page.getByRole("link", { name: "lesson of fifteen minutes" }).click();
  await page.getByRole("heading", { level: 1, name: /a lesson$/ }).waitFor();
});

test("t*, the product and the budget: three exercises on the same runs", async (t) => {
  const page = await lesson(t);
  const [clock, law, predict] = ["clock", "law", "predict"].map((name) => new Exercise(page, name));
  const runs = figure(page, "clock");
  await change(page, "clock", TIMED);
  await clock.answer("9");
  await law.answer("1/2");
  await predict.answer("0.1");
  for (const exercise of [clock, law, predict]) assert.match(await exercise.says(), NOT_YET);

  await runs.lab.scrollIntoViewIfNeeded();
  await runs.play();
  await runs.done();
  // What was answered before is checked by itself.
  const [first] = await recordings(page, "clock");
  const [large, small] = [timed(first)[0], timed(first).at(-1)];
  const power = Math.log(small.t_star / large.t_star) / Math.log(large.lambda / small.lambda);
  const factor = nearest({ "1/3": 1 / 3, 1: 1, 3: 3, 9: 9 }, 3 ** power);
  assert.notEqual(factor, "9");
  await clock.state("wrong");
  assert.match(await clock.says(), new RegExp(`^Not so\\. From λ = 0\\.2 to λ = 0\\.05 your t\\* moves from step ${Math.round(large.t_star)} to step ${Math.round(small.t_star)}\\.`));
  await clock.answer(factor);
  await clock.state("right");
  assert.match(await law.says(), /^Not yet\. There is one run, at η = 0\.05\./);
  assert.match(await predict.says(), /^Not yet\. Your run has no budget/);

  await law.form.getByRole("button", { name: "Double η" }).click();
  assert.equal(await runs.lab.evaluate((lab) => lab.settings.lr), "0.1");
  await figure(page, "law").play();
  await figure(page, "law").done();
  await law.form.and(page.locator(':not([data-state="open"])')).waitFor();
  const second = (await recordings(page, "clock"))[1];
  const changes = timed(second).flatMap((p) => timed(first).filter((q) => q.lambda === p.lambda).map((q) => Math.log(p.t_star / q.t_star)));
  const product = nearest({ 2: 2, 1: 1, "1/2": 1 / 2, "1/4": 1 / 4 }, Math.exp(mean(changes)));
  await law.answer(product);
  await law.state("right");
  await law.answer(await law.other(product, "1/2"));
  await law.state("wrong");
  if (product !== "1/2") {
    await law.answer("1/2");
    await law.state("otherwise");
  }
  assert.match(await clock.says(), /^Right\. From/, "a verdict stays until it is asked for again");

  await predict.form.getByRole("button", { name: "Set the budget to 300" }).click();
  await figure(page, "predict").play();
  await figure(page, "predict").done();
  const { forecast, regret } = (await recordings(page, "clock"))[2].findings;
  assert.equal(forecast.budget, 300);
  const costly = regret.regret > 0.005 && (regret.regret_ci === null || regret.regret_ci[0] > 0);
  await predict.answer((1.1 * forecast.lambda_pred).toPrecision(3));
  await predict.state(costly ? "otherwise" : "right");
  await predict.answer("40");
  await predict.state("wrong");
  assert.match(await predict.says(), new RegExp(`^Not so\\. The law gives λ = ${forecast.lambda0} × ${Math.round(forecast.t_star)} / 300 = [\\d.]+ from your own short runs`));
  await predict.form.locator("input[type=number]").fill("3");
  assert.match(await predict.says(), /^Not yet\. Press Check for the new answer/);
});

test("AutoL2 beside the best constant: the run decides", async (t) => {
  const page = await lesson(t);
  const auto = new Exercise(page, "auto");
  const runs = figure(page, "auto");
  await auto.answer("even");
  assert.match(await auto.says(), NOT_YET);
  await auto.form.getByRole("button", { name: "Set the steps to 1,000" }).click();
  assert.equal(await runs.lab.evaluate((lab) => lab.settings.steps), "1000");
  await change(page, "auto", ADAPT);
  await runs.lab.scrollIntoViewIfNeeded();
  await runs.play();
  await runs.done();
  const [{ traces }] = await recordings(page, "auto");
  const finals = (wanted) => traces.filter((r) => wanted(r.run)).map((r) => r.points.at(-1).test_accuracy);
  const constants = [0.5, 0.01].map((lambda) => finals((r) => r.lambda_schedule === "constant" && r.lambda === lambda));
  const best = constants.sort((a, b) => mean(b) - mean(a))[0];
  const adapted = finals((r) => r.lambda_schedule === "autol2");
  const squares = [best, adapted].flatMap((values) => values.map((v) => (v - mean(values)) ** 2));
  const gain = mean(adapted) - mean(best);
  const shown = Math.abs(gain) <= Math.sqrt(squares.reduce((a, b) => a + b) / 2) ? "even" : gain > 0 ? "above" : "below";
  await auto.answer(shown);
  await auto.state("right");
  // The figure's own sentence has the same numbers.
  assert.match(await runs.finding(), new RegExp(`at ${mean(adapted).toFixed(3)} .* ${Math.abs(gain).toFixed(3)} (above|below)`));
  assert.match(await auto.says(), new RegExp(`AutoL2 ends at ${mean(adapted).toFixed(3)}, .* at ${mean(best).toFixed(3)}; ${Math.abs(gain).toFixed(3)} apart`));
  if (shown !== "above") {
    await auto.answer("above");
    await auto.state("otherwise");
  }
  await auto.answer(await auto.other(shown, "above"));
  await auto.state("wrong");
});

test("the theory's exercise reads the figure, on either clock", async (t) => {
  const page = await lesson(t);
  const theory = new Exercise(page, "theory");
  const why = figure(page, "theory");
  await why.visit();
  await theory.answer("3");
  assert.match(await theory.says(), /^Not yet\. Move λ to 0\.003 first/);
  await why.lab.getByText("τ = λt", { exact: true }).click();
  const lambda = why.lab.getByRole("slider", { name: /^L2 coefficient/ });
  await lambda.focus();
  for (let i = 0; i < 12 && (await lambda.getAttribute("aria-valuetext")) !== "0.003"; i++) await page.keyboard.press("ArrowLeft");
  // The answer that waits is checked when the curves are there.
  await theory.state("wrong");
  const factor = /a factor of ([\d.]+\d)/.exec(await theory.says())[1];
  assert.ok(factor > 6 && factor < 12, factor);
  await why.lab.getByText("t = η × steps", { exact: true }).click();
  await theory.answer(factor);
  await theory.state("right");
  await theory.answer("10");
  await theory.state("right");
  await theory.answer("100");
  await theory.state("wrong");
});

test("a linear model is no network: the last exercise", async (t) => {
  const page = await lesson(t);
  const limits = new Exercise(page, "limits");
  const runs = figure(page, "limits");
  await limits.answer("every");
  assert.match(await limits.says(), NOT_YET);
  await change(page, "limits", { tau: "0.2", seeds: "1", lambda: "0.1,0.03", measurements: "10" });
  await runs.lab.scrollIntoViewIfNeeded();
  await runs.play();
  await runs.done();
  assert.match(await limits.says(), /^Not yet\. This was still the linear model/);
  await limits.form.getByRole("button", { name: "Make it a network" }).click();
  assert.equal(await runs.lab.evaluate((lab) => `${lab.settings.model} ${lab.settings.lr}`), "fc 0.1");
  await change(page, "limits", { ...NETWORK, tau: "2" });
  await runs.play();
  await runs.done();
  const { findings } = (await recordings(page, "limits"))[1];
  const falls = findings.cells.sort((a, b) => b.lambda - a.lambda).map((c) => c.late_decay.mean >= 0.005);
  const shown = falls.every(Boolean) ? "every" : !falls.some(Boolean) ? "none" : falls[0] ? "largest" : "some";
  if (shown !== "some") {
    await limits.answer(shown);
    await limits.state("right");
  }
  if (shown !== "every") {
    await limits.answer("every");
    await limits.state("otherwise");
  }
  await limits.answer(await limits.other(shown, "every"));
  await limits.state("wrong");
});

/** Verdicts on runs that were made up, by exercise: what no real run can be relied on to say. */
async function made(page) {
  return page.evaluate(async () => {
    const { checks } = await import(document.querySelector("script[type=module]").src);
    const experiment = { lr: [0.1], lambda: [0.1, 0.01], model: "fc", budget: "300", depth: 4 };
    const cell = (lambda, t_star, fall = 0.02) => ({ lr: 0.1, lambda, lambda_schedule: "constant", t_star, late_decay: { mean: fall, ci: null, n: 1 }, max_train_accuracy: 0.5 });
    const run = (cells, more = {}, findings = {}) => ({ experiment: { ...experiment, ...more }, findings: { cells, forecast: null, regret: null, ...findings }, traces: [] });
    const forecast = { lambda0: 0.1, t_star: 60, budget: 300, lambda_pred: 0.02 };
    const regret = { best_lambda: 0.1, best_accuracy: 0.8, accuracy: 0.75, regret: 0.05, regret_ci: [0.02, 0.08], seeds: 3 };
    const trace = (lambda_schedule, lambda, accuracy) => ({ run: { lambda, lambda_schedule, lr: 0.1 }, points: [{ test_accuracy: accuracy }], end: "completed" });
    const compared = (adapted) => ({
      ...run([]),
      traces: [...[0.7, 0.72].map((a) => trace("constant", 0.1, a)), ...[0.78, 0.79].map((a) => trace("constant", 0.01, a)), ...adapted.map((a) => trace("autol2", 0.1, a))],
    });
    const inverse = run([cell(0.1, 80), cell(0.01, 800)]);
    const still = run([cell(0.1, 80, 0), cell(0.03, 85, 0.004), cell(0.01, 90, 0.001)]);
    const doubled = (t) => run([cell(0.1, t)], { lr: [0.2] });
    const budget = (more) => [run([], {}, { forecast, regret: { ...regret, ...more } })];
    const peaks = (a, b) => new Map([[0.03, a], [0.003, b]]);
    return {
      clock: [["3", [inverse]], ["1", [inverse]], ["3", [still]], ["1", [still]], ["9", [still]], ["3", [run([cell(0.1, 80), cell(0.01, null)])]]].map(([a, r]) => checks.clock(r, a)),
      law: [["1/2", [inverse, doubled(41)]], ["1", [inverse, doubled(41)]], ["1/2", [inverse, doubled(80)]], ["1", [inverse, doubled(80)]], ["2", [inverse, doubled(80)]], ["1/2", [run([cell(0.1, 80)], { depth: 3 }), doubled(40)]]].map(([a, r]) => checks.law(r, a)),
      predict: [["0.02", budget({ regret: 0.001 })], ["0.02", budget({})], ["0.1", budget({})], ["0.5", budget({})], ["0.02", [run([])]], ["0.02", [run([], { budget: null })]]].map(([a, r]) => checks.predict(r, a)),
      auto: [["above", [0.82, 0.83]], ["above", [0.785, 0.79]], ["above", [0.7, 0.71]], ["even", [0.785, 0.79]], ["below", [0.82, 0.83]], ["above", []]].map(([a, r]) => checks.auto([compared(r)], a)),
      theory: [["10", peaks(8.2, 68)], ["1", peaks(8.2, 68)], ["10", peaks(8.2, 20)], ["2.5", peaks(8.2, 20)], ["10", new Map([[0.03, 8.2]])]].map(([a, p]) => checks.theory(p, a)),
      limits: [["every", [inverse]], ["none", [inverse]], ["every", [still]], ["none", [still]], ["every", [run([cell(0.1, 80), cell(0.01, 800, 0)])]], ["largest", [run([cell(0.1, 80), cell(0.01, 800, 0)])]], ["every", [run([], { model: "linear" })]]].map(([a, r]) => checks.limits(r, a)),
    };
  });
}

test("a run that contradicts the law is what counts, and a reader who trusted the law is not wrong", async (t) => {
  const page = await lesson(t);
  const states = Object.fromEntries(Object.entries(await made(page)).map(([name, verdicts]) => [name, verdicts.map((v) => v.state).join(" ")]));
  assert.deepEqual(states, {
    clock: "right wrong otherwise right wrong open",
    law: "right wrong otherwise right wrong open",
    predict: "right otherwise otherwise wrong open open",
    auto: "right otherwise otherwise right wrong open",
    theory: "right wrong otherwise right open",
    limits: "right wrong otherwise right otherwise right open",
  });
});

for (const width of [320, 480, 720, 1280]) {
  test(`nothing overflows, and no verdict moves the page, ${width} pixels wide`, async (t) => {
    const page = await lesson(t, { context: { viewport: { width, height: 800 }, isMobile: width < 700, hasTouch: width < 700 } });
    for (const name of NAMES) await figure(page, name).visit();
    for (const summary of await page.locator(".notes summary").all()) await summary.click();
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width);
    const moved = await page.evaluate((verdicts) => {
      const found = [];
      for (const form of document.querySelectorAll("form.exercise")) {
        const before = form.offsetHeight;
        for (const { text } of verdicts[form.name]) {
          form.querySelector("output").textContent = `Your run says otherwise. ${text}`;
          if (form.offsetHeight !== before) found.push(`${form.name} by ${form.offsetHeight - before}: ${text}`);
        }
      }
      return found;
    }, await made(page));
    assert.deepEqual(moved, []);
    const small = await page.locator(".exercise :is(label, button, input[type=number])").evaluateAll((all) =>
      all.filter((e) => e.getBoundingClientRect().height < 24 && !e.closest(".field")).map((e) => e.textContent),
    );
    assert.deepEqual(small, [], "large enough for a finger");
  });
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing, ${colorScheme}`, async (t) => {
    const page = await lesson(t, { context: { colorScheme } });
    for (const name of NAMES) await figure(page, name).visit();
    for (const summary of await page.locator(".notes summary").all()) await summary.click();
    await new Exercise(page, "clock").answer("3");
    // Each state has its colour.
    for (const [name, state] of [["law", "right"], ["predict", "wrong"], ["auto", "otherwise"]]) {
      await page.locator(`form[name="${name}"]`).evaluate((form, state) => {
        form.dataset.state = state;
        form.querySelector("output").replaceChildren(Object.assign(document.createElement("strong"), { textContent: "So." }), " Because.");
      }, state);
    }
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.flat().join(" ")).join("; ")}`), []);
  });
}

test("the keyboard reaches every exercise and answers it", async (t) => {
  const page = await lesson(t);
  for (const name of NAMES) await figure(page, name).visit();
  await page.locator("#main").focus();
  const reached = new Set();
  for (let i = 0; i < 250 && reached.size < NAMES.length; i++) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => (document.activeElement.matches("input") ? document.activeElement.form.name : null));
    if (name === null || reached.has(name)) continue;
    reached.add(name);
    const visible = await page.evaluate(() => Number.parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2);
    assert.ok(visible, `the focus shows in ${name}`);
    await page.keyboard.press(name === "predict" || name === "theory" ? "5" : "Space");
    await page.keyboard.press("Enter");
    assert.match(await new Exercise(page, name).says(), /^Not yet\. (Press Play first|Move λ)/);
  }
  assert.deepEqual([...reached], NAMES);
});
