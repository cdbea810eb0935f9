// The pages as people meet them, in a real browser. Run by tests/browser/run.
//
// One demo is served for all stories; each story has a browser context of its own and fails by itself. A page is looked
// at in three languages, light and dark, and on a screen of 320 pixels; no page may have a word on the console.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { CACHE, CHROMIUM, PROGRAM } = process.env;
const { chromium } = createRequire(join(CACHE, "package.json"))("playwright-core");
const axe = readFileSync(join(CACHE, "node_modules/axe-core/axe.min.js"), "utf8");
const screenshots = join(CACHE, "screenshots");
mkdirSync(screenshots, { recursive: true });

/** Language, scheme and width in which every page is looked at. */
const looks = [["fi", "light", 1280], ["sv", "dark", 1280], ["en", "light", 320], ["fi", "dark", 320]];

/** The demo on a free port, with a token for each role. */
async function serve(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "vireille-browser-"));
  const demo = spawn(PROGRAM, ["demo", "--port", "0", "--database", `sqlite:${folder}/demo.db`, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    // No case is judged blind unless a story says so.
    env: { ...process.env, VIREILLE__PAGES__SIGN_INS_PER_MINUTE: "10000", VIREILLE__REVIEW__BLIND_SHARE: "0", ...settings },
  });
  let text = "";
  const started = await new Promise((found, lost) => {
    demo.on("exit", (code) => lost(new Error(`the demo ended with ${code}`)));
    demo.stdout.on("data", (bytes) => {
      text += bytes;
      const line = text.split("\n").find((line) => line.startsWith('{"address"'));
      if (line) found(JSON.parse(line));
    });
  });
  return { ...started, stop: () => (demo.kill("SIGTERM"), rmSync(folder, { recursive: true, force: true })) };
}

const demo = await serve();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });

/** Somebody at a browser of their own. */
async function visitor(options = {}) {
  const context = await browser.newContext({ baseURL: demo.address, locale: "fi-FI", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.words = [];
  page.on("console", (message) => message.type() === "error" && page.words.push(message.text()));
  page.on("pageerror", (error) => page.words.push(String(error)));
  return page;
}

/** Somebody of the staff, signed in by picking who they are. */
async function staff(role, options = {}) {
  const page = await visitor(options);
  await page.goto("/sign-in");
  await page.locator(".picks button").filter({ hasText: role }).first().click();
  await page.waitForURL("**/console**");
  return page;
}

/** Claims an application of a road that nobody holds and that has this on its page; gives its address. */
async function claimRoad(page, has = "main") {
  await page.goto("/console?view=all&service=private-road-grant&status=in-review");
  for (const link of await page.locator("[data-row]").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
    await page.goto(link);
    const free = page.locator("form[action$='/claim'] button.primary");
    if (!(await page.locator(has).count()) || !(await free.count())) continue;
    await free.click();
    return link;
  }
  assert.fail("the demo has no application that nobody holds");
}

/** Everything a machine can say about accessibility, and that nothing sticks out. */
async function look(page, name) {
  await page.evaluate(axe);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), tags);
  const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(told, [], `${name}: accessibility`);
  const { inner, wide, out } = await page.evaluate(() => {
    const sticks = (one) => one.getBoundingClientRect().right > innerWidth && !one.closest("[tabindex='0']");
    const out = [...document.querySelectorAll("main *")].filter(sticks).at(-1)?.outerHTML.slice(0, 200);
    return { inner: innerWidth, wide: document.documentElement.scrollWidth, out };
  });
  assert.ok(wide <= inner, `${name}: ${wide} pixels wide on a screen of ${inner}: ${out}`);
}

/** Looks at pages of the console in three languages, light and dark, wide and narrow. */
async function shoot(paths, role, options = {}) {
  for (const [lang, colorScheme, width] of looks) {
    const who = await staff(role, { ...options, colorScheme, viewport: { width, height: 900 } });
    for (const [name, path] of Object.entries(paths)) {
      await who.goto(path + (path.includes("?") ? "&" : "?") + `lang=${lang}`);
      const shot = `${name}-${lang}-${colorScheme}-${width}`;
      await who.screenshot({ path: join(screenshots, `${shot}.png`), fullPage: true });
      await look(who, shot);
      assert.deepEqual(who.words, [], shot);
    }
    await who.context().close();
  }
}

/** Types what a sample application says into the form that is open; gives how many characters that took. */
async function fillIn(page, fields) {
  let typed = 0;
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`#${name}`);
    if (typeof value === "boolean") {
      const choice = page.locator(`#${name}${value ? "-yes" : "-no"}`);
      if (await choice.count()) await choice.check();
      else if (value && (await field.count())) await field.check();
    } else if ((await field.count()) && (await field.evaluate((one) => one.tagName)) === "SELECT") {
      await field.selectOption(String(value));
    } else if (await field.count()) {
      await field.fill(String(value));
      typed += String(value).length;
    }
  }
  return typed;
}

/** A call of the API with a token; gives what came back. */
async function call(token, method, path, body) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(demo.address + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

/** A submission of a sample, once it has its draft; gives the id of its case. */
async function drafted(sample, fields = {}) {
  const submission = JSON.parse(readFileSync(`policies/harjuvesi/samples/${sample}.json`, "utf8"));
  delete submission.received_at;
  Object.assign(submission, { id: `${sample}-${Math.random()}` });
  Object.assign(submission.fields, fields);
  const { case_id } = await call(demo.tokens["resident-channel"], "POST", "/v1/submissions", submission);
  for (let tries = 0; tries < 100; tries++) {
    if ((await call(demo.tokens.handler, "GET", `/v1/cases/${case_id}`)).draft) return case_id;
    await new Promise((soon) => setTimeout(soon, 200));
  }
  assert.fail(`${sample} was not drafted`);
}

/** Approves the draft of a case, as somebody with this post. */
async function approved(id, post) {
  const { secret } = await call(demo.tokens.admin, "POST", "/v1/tokens", { role: "approver", name: `Testi ${post}`, post });
  const draft = await call(secret, "GET", `/v1/cases/${id}/draft`);
  const confirmed_amount = draft.content.amount ?? null;
  await call(secret, "POST", `/v1/cases/${id}/approve`, { draft_hash: draft.hash, confirmed_amount, appeal_confirmed: true });
}

const stories = {
  async "a clean case is decided in three acts, by keyboard alone"() {
    const page = await staff("hyväksyjä");
    await page.goto("/console?view=all&service=private-road-grant&status=in-review");
    const rows = await page.locator("[data-row]").count();
    assert.ok(rows > 0, "the demo has applications");
    for (let n = 0; n < rows; n++) {
      await page.goto("/console?view=all&service=private-road-grant&status=in-review");
      for (let down = 0; down <= n; down++) await page.keyboard.press("j");
      await page.keyboard.press("Enter"); // 1: open
      await page.waitForURL("**/console/cases/**");
      if ((await page.locator("#confirmed").count()) && (await page.locator(".amount").count())) break;
    }
    await page.keyboard.press("a");
    await page.keyboard.press("Space"); // 2: confirm amount and appeal
    assert.ok(await page.locator("#confirmed").isChecked());
    await page.screenshot({ path: join(screenshots, "approve.png"), fullPage: true });
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // 3: approve
    await page.waitForURL("**?done=approved");
    assert.match(await page.locator(".note.good").first().innerText(), /Hyväksyit luonnoksen/);
    assert.deepEqual(page.words, []);
  },

  async "an edit and a stale approval explain themselves"() {
    const handler = await staff("käsittelijä");
    await handler.goto("/console?view=all&service=private-road-grant&status=in-review");
    const approver = await staff("hyväksyjä");
    for (const link of await handler.locator("[data-row]").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
      await approver.goto(link);
      if (!(await approver.locator("#confirmed").count())) continue;
      await handler.goto(link);
      await handler.locator("form[action$='/claim'] button.primary").click();
      await handler.locator("a[href$='/edit']").click();
      const reason = handler.locator("textarea").first();
      await reason.fill(`${await reason.inputValue()} Lisätty lause.`);
      await handler.locator("form[action$='/edit'] button").click();
      await handler.waitForURL("**?done=edited");
      await approver.locator("#confirmed").check();
      await approver.locator("form[action$='/approve'] button").click();
      assert.match(await approver.locator("[role=alert]").innerText(), /Luonnos on muuttunut/);
      assert.match(await approver.locator("main").innerText(), /Lisätty lause/);
      return;
    }
    assert.fail("no case was left to edit");
  },

  async "the console works without a script"() {
    const page = await staff("käsittelijä", { javaScriptEnabled: false });
    await page.locator("#status").selectOption("in-review");
    await page.locator(".filters button").click();
    await page.locator("[data-row]").last().click();
    await page.locator("form[action$='/claim'] button.primary").click();
    assert.match(await page.locator(".note.good").first().innerText(), /Asia on sinulla/);
    await page.locator("form[action$='/release'] button").click();
    assert.match(await page.locator(".note.good").first().innerText(), /Luovuit/);
  },

  async "a sentence shows what it rests on when it has the focus"() {
    const page = await staff("hyväksyjä");
    await page.goto("/console?view=all&service=private-road-grant");
    for (const link of await page.locator("[data-row]").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
      await page.goto(link);
      if (await page.locator(".reasons li").count()) break;
    }
    const reason = page.locator(".reasons li").first();
    assert.equal(await reason.locator(".supports").isVisible(), false);
    await reason.focus();
    assert.equal(await reason.locator(".supports").isVisible(), true);
  },

  async "a resident applies, follows, reads the decision, and hardly types when applying again"() {
    const fields = JSON.parse(readFileSync("policies/harjuvesi/samples/road-r1.json", "utf8")).fields;
    const attachment = (name) => ({ name, mimeType: "text/plain", buffer: Buffer.from("Tilikausi 2025\n") });
    const resident = await visitor();
    await resident.goto("/m/harjuvesi");
    await resident.locator("form:has(input[value='private-road-grant']) button").first().click();
    await resident.waitForURL("**/forms/**");
    await resident.locator("button[value='check']").click();
    assert.match(await resident.locator("[role=alert]").innerText(), /Tiekunnan nimi/, "what is missing is told at once");
    resident.words.length = 0; // The refusal is a status that the console tells of.
    const typed = await fillIn(resident, fields);
    await resident.locator("#file").setInputFiles([attachment("tilinpaatos-2025.txt"), attachment("poytakirja-2026.txt")]);
    await resident.locator("button[value='check']").click();
    await resident.waitForURL("**/check");
    await resident.screenshot({ path: join(screenshots, "resident-check.png"), fullPage: true });
    await resident.locator("form[action$='/send'] button").click();
    await resident.waitForURL("**/c/**");
    const followed = resident.url();
    const number = (await resident.locator(".lead").innerText()).match(/HRJ\/\d+\/\d+/)[0];
    assert.deepEqual(resident.words, []);

    const approver = await staff("hyväksyjä");
    await approver.goto("/console?view=all&service=private-road-grant");
    const link = approver.locator("[data-row]").filter({ hasText: number });
    for (let tries = 0; tries < 100 && !(await link.count()); tries++) await approver.reload();
    const address = await link.getAttribute("href");
    for (let tries = 0; tries < 100; tries++) {
      await approver.goto(address);
      if (await approver.locator("form[action$='/approve'] button").count()) break;
      await approver.waitForTimeout(200);
    }
    assert.doesNotMatch(await (await resident.goto(followed)).text(), /letter-page/, "a draft is nobody's letter yet");
    await approver.locator("#confirmed").check();
    await approver.locator("form[action$='/approve'] button").click();
    await approver.waitForURL("**?done=approved");
    await resident.goto(followed);
    assert.ok((await resident.locator(".letter-page").count()) > 0, "the approved letter can be read");
    await resident.screenshot({ path: join(screenshots, "resident-decided.png"), fullPage: true });

    await resident.locator("button[name='again']").click();
    await resident.waitForURL("**/forms/**");
    const again = await fillIn(resident, { meeting_date: "2027-02-13", cost_ploughing: "2510.00" });
    assert.ok(again <= 0.15 * typed, `${again} characters after ${typed}`);
    await resident.locator("#file").setInputFiles([attachment("tilinpaatos-2026.txt"), attachment("poytakirja-2027.txt")]);
    await resident.locator("button[value='check']").click();
    await resident.waitForURL("**/check");
  },

  async "a notice is sent without a script, and danger is answered at once"() {
    const page = await visitor({ javaScriptEnabled: false });
    await page.goto("/m/harjuvesi?q=" + encodeURIComponent("Sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä"));
    assert.match(await page.locator("main").innerText(), /112/);
    await page.locator("form:has(input[value='fault-notice']) button").last().click();
    await page.locator("textarea").first().fill("Katuvalo on pimeänä Koulukadulla.");
    await page.locator("button[value='check']").click();
    if (!page.url().endsWith("/check")) {
      await page.screenshot({ path: join(screenshots, "resident-notice-refused.png"), fullPage: true });
      assert.fail(await page.locator("main").innerText());
    }
    await page.locator("form[action$='/send'] button").click();
    assert.match(await page.locator(".lead").innerText(), /HRJ\//);
    await page.goto(page.url().split("?")[0] + "/data");
    assert.match(await page.locator("main").innerText(), /Katuvalo/);
  },

  async "a round says what keeps it waiting, is run by a person, and shows its result"() {
    await shoot({ rounds: "/console/rounds" }, "hyväksyjä");
    const page = await staff("hyväksyjä");
    await page.goto("/console/rounds");
    assert.match(await page.locator("main").innerText(), /kerroin/);
    const form = page.locator("form[action='/console/rounds']:has(input[value='private-road-grant'])").first();
    assert.ok(await form.count(), "the demo's window has closed");
    await form.locator("button.primary").click();
    assert.match(await page.locator("[role=alert]").innerText(), /Vahvista laskenta/);
    for (const reason of await form.locator("input[name^='out.']").all()) await reason.fill("Ei ratkaistavissa nyt.");
    await form.locator("input[name=confirmed]").check();
    await form.locator("button.primary").click();
    await page.locator("#private-road-grant-factor-k").waitFor();
    assert.match(await page.locator("main").innerText(), /Määräraha 85000/);
    assert.deepEqual(page.words, []);
    await shoot({ "rounds-run": "/console/rounds" }, "hyväksyjä");
  },

  async "a supervisor reads the reports: charts with their tables, files, three languages"() {
    const approver = await staff("hyväksyjä");
    // Of one service, for fewer than five cases give no rate.
    await approver.goto("/console?view=all&status=in-review&service=fault-notice");
    let approved = 0;
    for (const link of await approver.locator("[data-row]").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
      await approver.goto(link);
      const button = approver.locator("form[action$='/approve'] button");
      if (approved >= 8 || !(await button.count())) continue;
      if (await approver.locator("#confirmed").count()) await approver.locator("#confirmed").check();
      await button.click();
      approved += /done=approved/.test(approver.url());
    }
    assert.ok(approved >= 3, `${approved} drafts were approved`);
    const pages = { reports: "/console/reports", approvals: "/console/reports/approvals", filtered: "/console/reports?from=2026-01-01&to=2025-01-01" };
    for (const [lang, colorScheme, width] of [["fi", "light", 1280], ["sv", "dark", 1280], ["en", "light", 320], ["fi", "dark", 320]]) {
      const who = await staff("esihenkilö", { colorScheme, viewport: { width, height: 900 } });
      for (const [name, path] of Object.entries(pages)) {
        await who.goto(path + (path.includes("?") ? "&" : "?") + `lang=${lang}`);
        const shot = `${name}-${lang}-${colorScheme}-${width}`;
        await who.screenshot({ path: join(screenshots, `${shot}.png`), fullPage: true });
        await look(who, shot);
        assert.deepEqual(who.words, [], shot);
        for (const chart of await who.locator("section:has(.chart)").all()) assert.equal(await chart.locator("table").count(), 1, shot);
      }
      await who.context().close();
    }
    const plain = await staff("esihenkilö", { javaScriptEnabled: false });
    assert.ok((await plain.locator("svg[role=img]").count()) >= 3, "there is something to draw");
    await plain.locator("#service").selectOption("private-road-grant");
    await plain.locator(".filters button").click();
    assert.match(plain.url(), /service=private-road-grant/);
    const [file] = await Promise.all([plain.waitForEvent("download"), plain.locator("section:has(#volume) .csv a").click()]);
    assert.match(readFileSync(await file.path(), "utf8"), /^service,received,decided/);
    await plain.goto("/console");
    assert.equal(await plain.locator("[data-row]").count(), 0, "a supervisor reads no cases");
  },

  async "policy pages show versions, what rests on them, and what a change would give"() {
    const page = await staff("käsittelijä");
    await page.goto("/console/policies");
    await page.locator("#q").fill("tuettava pituus");
    await page.locator(".filters button").click();
    await page.locator(".passages a").filter({ hasText: "3 § Tuettava tie" }).first().click();
    await page.waitForURL("**#s3");
    await page.locator("#rule-min-length summary").click();
    assert.match(await page.locator("#rule-min-length").innerText(), /< 400/);
    assert.match(await page.locator("#s3").innerText(), /HRJ\//, "the demo has cases that rest on it");
    const version = page.url().split("#")[0];
    await page.goto("/console/policies/private-road-grant/compare");
    assert.ok((await page.locator("#s3 del").count()) > 0 && (await page.locator("#s3 ins").count()) > 0);
    await page.goto("/console/policies/private-road-grant/impact");
    const figures = await page.locator(".figures").innerText();
    assert.match(figures, /€/);
    await page.locator("tbody th a").first().click();
    await page.waitForURL("**/console/cases/**");
    const fact = page.locator("#fact-supported_length");
    await fact.focus();
    assert.match(await fact.innerText(), /nojaa/);
    assert.ok((await page.locator(".reasons .lit, .rules .lit").count()) > 0, "what rests on it lights up");
    await page.locator(".binds .rules summary").first().click();
    assert.ok((await page.locator(".section-text:visible").count()) > 0, "the section stands in place");
    const addresses = {
      policies: "/console/policies?q=tuettava",
      "policy-day": "/console/policies?on=eilen",
      policy: new URL(version).pathname,
      statute: "/console/policies/hallintolaki",
      "policy-compare": "/console/policies/private-road-grant/compare",
      "policy-impact": "/console/policies/private-road-grant/impact",
      "policy-case": new URL(page.url()).pathname,
    };
    for (const [lang, colorScheme, width] of [["fi", "light", 1280], ["sv", "dark", 1280], ["en", "light", 320], ["fi", "dark", 320]]) {
      const who = await staff("käsittelijä", { colorScheme, viewport: { width, height: 900 } });
      for (const [name, path] of Object.entries(addresses)) {
        await who.goto(path + (path.includes("?") ? "&" : "?") + `lang=${lang}`);
        const shot = `${name}-${lang}-${colorScheme}-${width}`;
        await who.screenshot({ path: join(screenshots, `${shot}.png`), fullPage: true });
        for (const part of await who.locator("details").all()) await part.evaluate((one) => (one.open = true));
        await look(who, shot);
        assert.deepEqual(who.words, [], shot);
      }
      await who.context().close();
    }
  },

  async "facts are corrected in place, and merge, split and arrival have their forms"() {
    const page = await staff("käsittelijä");
    const address = await claimRoad(page, "#fact-supported_length");
    await page.locator("a[href*='fact=supported_length']").click();
    const correct = async (value) => {
      await page.locator("#value").fill(value);
      await page.locator("#code").selectOption("misread");
      await page.locator("#fact_reason").fill("Yksityistierekisterin ote.");
      await page.locator("#work button.primary").click();
    };
    await correct("noin kaksi kilometriä");
    assert.match(await page.locator("#work .fault").innerText(), /Tätä ei voi lukea/);
    assert.equal(await page.locator("#value").inputValue(), "noin kaksi kilometriä", "what was typed is kept");
    await page.screenshot({ path: join(screenshots, "fact-refused.png"), fullPage: true });
    await look(page, "fact-refused");
    page.words.length = 0; // The refusal is a status that the console tells of.
    await correct("1 801");
    await page.waitForURL("**?done=facts");
    const told = page.locator("#fact-supported_length");
    for (let tries = 0; tries < 100 && !/1.801/.test(await told.innerText()); tries++) await page.goto(address);
    assert.match(await told.innerText(), /Kone luki/);
    const forms = { "fact-corrected": "", "fact-form": "?fact=supported_length", "fact-merge": "?form=merge", "fact-split": "?form=split", "fact-metadata": "?form=metadata" };
    for (const [lang, colorScheme, width] of [["fi", "light", 1280], ["sv", "dark", 1280], ["en", "light", 320], ["fi", "dark", 320]]) {
      const reader = await staff("käsittelijä", { colorScheme, viewport: { width, height: 900 } });
      for (const [name, query] of Object.entries(forms)) {
        await reader.goto(`${address}${query}${query ? "&" : "?"}lang=${lang}`);
        const shot = `${name}-${lang}-${colorScheme}-${width}`;
        await reader.screenshot({ path: join(screenshots, `${shot}.png`), fullPage: true });
        await look(reader, shot);
        assert.deepEqual(reader.words, [], shot);
      }
      await reader.context().close();
    }
    assert.deepEqual(page.words, []);
  },

  async "a party is heard, and a claim is linked to its decision"() {
    const page = await staff("käsittelijä");
    const address = await claimRoad(page);
    await page.locator("summary", { hasText: "Kuule asianosaista" }).click();
    await page.screenshot({ path: join(screenshots, "hearing-form.png"), fullPage: true });
    await look(page, "hearing-form");
    await page.locator("#hear_about").fill("Kuvan mukaan tie on suljettu puomilla.");
    await page.locator("#hear_documents").fill("Kuva puomista");
    await page.locator("form[action$='/hear'] button").click();
    await page.waitForURL("**?done=hearing");
    const letter = page.locator(".letter-page");
    for (let tries = 0; tries < 100 && !/Kuva puomista/.test((await letter.count()) ? await letter.innerText() : ""); tries++)
      await page.goto(address);
    assert.match(await letter.innerText(), /Mistä voitte lausua/i);
    await page.goto("/console?view=all&service=claim-for-revision");
    const claim = await page.locator("[data-row]").first().getAttribute("href");
    await page.goto(claim);
    await page.locator("summary", { hasText: "Liitä päätökseen" }).click();
    await page.locator("#decision_case").fill("HRJ/1999/00001");
    await page.locator("form[action$='/link'] button").click();
    assert.match(await page.locator(".fault").first().innerText(), /Tällä numerolla ei ole päätöstä/);
    assert.equal(await page.locator("#decision_case").inputValue(), "HRJ/1999/00001", "what was typed is kept");
    await look(page, "claim-refused");
    page.words.length = 0; // The refusal is a status that the console tells of.
    await shoot({ hearing: address, claim }, "käsittelijä");
  },

  async "files show how far they are, and what is wrong keeps the text"() {
    const page = await visitor();
    await page.goto("/m/harjuvesi");
    await page.locator(".picks form button").last().click();
    await page.waitForURL("**/forms/**");
    const slow = await page.context().newCDPSession(page);
    await slow.send("Network.enable");
    await slow.send("Network.emulateNetworkConditions", { offline: false, latency: 20, downloadThroughput: -1, uploadThroughput: 300_000 });
    await page.locator("textarea").first().fill("Liitteenä kuva venepaikasta.");
    const file = (name, size) => ({ name, mimeType: "image/jpeg", buffer: Buffer.alloc(size, 7) });
    await page.locator("#file").setInputFiles([file("tyhja.jpg", 0), file("kuva.jpg", 600_000)]);
    await page.locator("button[value='check']").click();
    await page.locator(".sending progress").waitFor();
    assert.match(await page.locator(".sending [role=status]").innerText(), /Lähetetään tiedostoja: \d+ %/);
    await look(page, "sending");
    await page.locator("[role=alert]").waitFor();
    assert.match(await page.locator("[role=alert]").innerText(), /tyhja\.jpg on tyhjä/);
    assert.equal(await page.locator("textarea").first().inputValue(), "Liitteenä kuva venepaikasta.");
    assert.match(await page.locator("ul.files").innerText(), /kuva\.jpg/);
    await slow.send("Network.emulateNetworkConditions", { offline: true, latency: 0, downloadThroughput: 0, uploadThroughput: 0 });
    await page.locator("#file").setInputFiles([file("toinen.jpg", 1_000)]);
    await page.locator("button[value='check']").click();
    await page.locator(".fault[role=status]").waitFor();
    assert.match(await page.locator(".fault[role=status]").innerText(), /Tekstisi on vielä tällä sivulla/);
    await slow.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await page.locator("button[value='check']").click();
    await page.waitForURL("**/check");
    assert.match(await page.locator("main").innerText(), /toinen\.jpg/);
  },

  async "a resident and the office write to each other, and consent is withdrawn"() {
    const resident = await visitor();
    await resident.goto("/m/harjuvesi");
    await resident.locator("form:has(input[value='fault-notice']) button").first().click();
    await resident.locator("#description").fill("Leikkipaikan keinu on vino Koulutiellä.");
    await resident.locator("button[value='check']").click();
    await resident.waitForURL("**/check");
    assert.equal(await resident.locator("#publish_consent").isChecked(), false, "nobody consents unasked");
    await resident.locator("#publish_consent").check();
    await resident.locator("form[action$='/send'] button").click();
    await resident.waitForURL("**/c/**");
    const followed = resident.url().split("?")[0];
    const number = (await resident.locator(".lead").innerText()).match(/HRJ\/\d+\/\d+/)[0];
    await resident.locator("#message").fill("Milloin keinu korjataan?");
    await resident.locator("form[action$='/message'] button").click();
    await resident.waitForURL("**?written=1**");
    assert.match(await resident.locator(".talk").innerText(), /Milloin keinu korjataan\?/);

    const handler = await staff("käsittelijä");
    await handler.goto("/console?view=all&service=fault-notice");
    const row = handler.locator("tr").filter({ hasText: number });
    assert.match(await row.innerText(), /Viesti odottaa/);
    await row.locator("[data-row]").click();
    await handler.locator("#message").fill("Keinu korjataan perjantaina.");
    await handler.locator("form[action$='/message'] button").click();
    await handler.waitForURL("**?done=written");
    await handler.screenshot({ path: join(screenshots, "console-messages.png"), fullPage: true });

    await resident.goto(followed);
    assert.match(await resident.locator(".talk").innerText(), /Keinu korjataan perjantaina\./);
    await resident.locator("form[action$='/consent'] button").click();
    await resident.waitForURL("**?unconsented=1");
    assert.match(await resident.locator("main").innerText(), /Peruit suostumuksen/);
    await resident.locator("form[action$='/withdraw'] input").check();
    await resident.locator("form[action$='/withdraw'] button").click();
    await resident.waitForURL("**?withdrawn=1");
    await resident.locator("#message").fill("Vaadin oikaisua.");
    await resident.locator("form[action$='/message'] button").click();
    await resident.waitForURL("**?sent=1");
    assert.doesNotMatch(await resident.locator(".lead").innerText(), new RegExp(number), "a case of its own");
    assert.deepEqual([...resident.words, ...handler.words], []);
    for (const [lang, colorScheme, width] of [["fi", "dark", 320], ["sv", "light", 1280], ["en", "light", 320]]) {
      const page = await visitor({ colorScheme, viewport: { width, height: 900 } });
      for (const [name, path] of [["talk", followed], ["talk-data", `${followed}/data`]]) {
        await page.goto(`${path}?lang=${lang}`);
        const shot = `${name}-${lang}-${colorScheme}-${width}`;
        await page.screenshot({ path: join(screenshots, `${shot}.png`), fullPage: true });
        await look(page, shot);
        assert.deepEqual(page.words, [], shot);
      }
    }
  },

  async "words outlive a session"() {
    const page = await staff("käsittelijä");
    await page.goto("/console?view=all&service=private-road-grant&status=in-review");
    await page.locator("[data-row]").last().click();
    await page.locator("details:has(#message) summary").click();
    await page.locator("#message").fill("Hakemuksenne on käsittelyssä.");
    await page.context().clearCookies({ name: "vireille_session" });
    await page.locator("form[action$='/message'] button").click();
    assert.match(await page.locator("[role=alert]").innerText(), /Istuntosi oli päättynyt/);
    await look(page, "session-ended");
    await page.locator(".picks button").filter({ hasText: "käsittelijä" }).first().click();
    assert.equal(await page.locator("textarea").inputValue(), "Hakemuksenne on käsittelyssä.");
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: join(screenshots, `again-${width}.png`), fullPage: true });
      await look(page, `again-${width}`);
    }
    await page.locator("form button.primary").click();
    await page.waitForURL("**?done=written");
  },

  async "the registry registers a call, and the caller follows it"() {
    const page = await staff("kirjaamo");
    await page.locator("a[href='/console/register']").click();
    const seen = { "register-choose": page.url() };
    await page.locator("form:has(input[value='fault-notice']) button").click();
    await page.waitForURL("**/console/register/*");
    seen["register-form"] = page.url();
    await page.locator("button[value='check']").click();
    assert.match(await page.locator("[role=alert]").innerText(), /Miten asia tuli/);
    page.words.length = 0; // The refusal is a status that the console tells of.
    await page.locator("#register-channel").selectOption("phone");
    await page.locator("#party-name").fill("Maija Malli");
    await page.locator("#category").selectOption("LI1");
    await page.locator("#location_note").fill("Koulutie 4");
    await page.locator("#message-text").fill("Katuvalo ei pala koulun portilla.");
    await page.locator("button[value='check']").click();
    await page.waitForURL("**/check");
    seen["register-check"] = page.url();
    await shoot(seen, "kirjaamo");
    await page.locator("form[action$='/send'] button").click();
    await page.waitForURL("**/done");
    assert.match(await page.locator("h1").innerText(), /HRJ\//);
    await shoot({ "register-done": page.url() }, "kirjaamo");
    const link = await page.locator(".letter-page a").getAttribute("href");
    const caller = await visitor();
    await caller.goto(link);
    assert.match(await caller.locator(".lead").innerText(), /HRJ\//);
    await page.locator("a[href^='/console/cases/']").first().click();
    assert.match(await page.locator(".came").innerText(), /Puhelin/);
    assert.deepEqual(page.words, []);
  },

  async "a handler says what they would do before they see the proposal (blind, powers)"() {
    const other = await serve({ VIREILLE__REVIEW__BLIND_SHARE: "100" });
    try {
      const at = { baseURL: other.address };
      const page = await staff("käsittelijä", at);
      await page.goto("/console?view=all&service=private-road-grant&status=in-review");
      const path = await page.locator("[data-row]").first().getAttribute("href");
      await page.goto(path);
      assert.equal(await page.locator(".letter-page").count(), 0, "the proposal is hidden");
      await shoot({ blind: path }, "käsittelijä", at);
      await page.locator("#outcome").selectOption("rejection");
      await page.locator("#line").fill("Tie on liian lyhyt.");
      await page.locator("form[action$='/judge'] button").click();
      await page.waitForURL("**?done=judged");
      assert.ok((await page.locator(".letter-page").count()) > 0, "the proposal is shown");
      await page.locator("#ground").evaluate((field) => (field.closest("details").open = true));
      await page.locator("#ground").selectOption("party");
      await page.locator("form[action$='/disqualify'] button").click();
      await page.waitForURL("**?done=disqualified");
      assert.equal(await page.locator("form[action$='/claim']").count(), 0);
      await shoot({ judged: path }, "käsittelijä", at);
      assert.deepEqual(page.words, []);
    } finally {
      other.stop();
    }
  },

  async "a key is handed over, is lost and found, and stands in its register (registers)"() {
    const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const id = await drafted("access-tag", { standing: false, valid_from: day(1), valid_until: day(60) });
    await approved(id, "leisure-secretary");
    const path = `/console/cases/${id}`;
    const page = await staff("kirjaamo");
    await page.goto("/console/access-rights");
    await page.locator("tbody a").first().click();
    await page.waitForURL(`**${path}#access-right`);
    await page.locator("#key_number").fill("T-1042");
    await page.locator("button[value='hand-over']").click();
    await page.waitForURL("**?done=key-handed-over");
    assert.match(await page.locator("section:has(#access-right)").innerText(), /T-1042/);
    await shoot({ "access-right": path, "access-rights": "/console/access-rights" }, "käsittelijä");
    await page.locator("section:has(#access-right) summary").click();
    await page.locator("#key_reason").fill("Putosi järveen.");
    await page.locator("button[value='report-lost']").click();
    await page.waitForURL("**?done=key-lost");
    await page.locator("button[value='take-back']").click();
    await page.waitForURL("**?done=key-returned");
    await page.goto("/console/access-rights?state=returned");
    assert.match(await page.locator("tbody").innerText(), /T-1042/);
    assert.deepEqual(page.words, []);
  },

  async "feedback is published by a person and gone when its sender wants it so (registers)"() {
    const resident = await visitor({ javaScriptEnabled: false });
    await resident.goto("/m/harjuvesi");
    await resident.locator("form:has(input[value='general-feedback']) button").first().click();
    await resident.waitForURL("**/forms/**");
    await resident.locator("#description").fill("Kiitos luistelukentästä! Numeroni on 040 000 0777.");
    await resident.locator("button[value='check']").click();
    await resident.waitForURL("**/check");
    await resident.locator("#publish_consent").check();
    await resident.locator("form[action$='/send'] button").click();
    await resident.waitForURL("**/c/**");
    const followed = resident.url().split("?")[0];
    const number = (await resident.locator(".lead").innerText()).match(/HRJ\/\d+\/\d+/)[0];
    const handler = await staff("käsittelijä");
    const row = handler.locator("[data-row]").filter({ hasText: number });
    await handler.goto("/console?view=all&service=general-feedback");
    for (let tries = 0; tries < 100 && !(await row.count()); tries++) await handler.reload();
    const path = await row.getAttribute("href");
    await handler.goto(path);
    await handler.locator("section:has(#publish) summary").click();
    const text = handler.locator("#publish_text");
    assert.equal(await text.inputValue(), "Kiitos luistelukentästä! Numeroni on [poistettu].");
    await text.fill("Kiitos! Soita 040 000 0777.");
    await handler.locator("#publish_read").check();
    await handler.locator("section:has(#publish) button.primary").click();
    assert.match(await handler.locator("section:has(#publish)").innerText(), /poista puhelinnumero/);
    handler.words.length = 0; // The refusal is a status that the console tells of.
    await shoot({ publish: path }, "käsittelijä");
    await text.fill("Kiitos luistelukentästä!");
    await handler.locator("#publish_read").check();
    await handler.locator("section:has(#publish) button.primary").click();
    await handler.waitForURL("**?done=published");
    await shoot({ published: path, feedback: "/m/harjuvesi/feedback", "feedback-where": "/feedback" }, "käsittelijä");
    const anybody = await visitor();
    await anybody.goto("/m/harjuvesi");
    await anybody.locator("a[href='/m/harjuvesi/feedback']").click();
    assert.match(await anybody.locator("main").innerText(), /Kiitos luistelukentästä!/);
    await look(anybody, "feedback");
    await resident.goto(followed);
    assert.match(await resident.locator("main").innerText(), /Palautteesi on julkaistu/);
    await resident.locator("form[action$='/consent'] button").click();
    await anybody.reload();
    assert.doesNotMatch(await anybody.locator("main").innerText(), /luistelukentästä/);
    assert.deepEqual([...handler.words, ...anybody.words, ...resident.words], []);
  },

  async "files that are not in use are told of on the first page (packs)"() {
    const policies = mkdtempSync(join(tmpdir(), "vireille-policies-"));
    cpSync("policies", policies, { recursive: true });
    const other = await serve({ VIREILLE__POLICIES__DIR: policies });
    try {
      const file = join(policies, "harjuvesi", "delegation.yaml");
      writeFileSync(file, readFileSync(file, "utf8").replaceAll("decider: technical-director", "decider: tehcnical-director"));
      const headers = { authorization: `Bearer ${other.tokens.admin}` };
      const answer = await fetch(`${other.address}/v1/packs/reload`, { method: "POST", headers });
      assert.equal(answer.status, 200);
      const at = { baseURL: other.address };
      const page = await staff("käsittelijä", at);
      assert.match(await page.locator(".kept summary").innerText(), /virheitä: \d/);
      await page.locator(".kept summary").click();
      assert.match(await page.locator(".kept li").first().innerText(), /delegation\.yaml:\d+: .*tehcnical-director/);
      await page.screenshot({ path: join(screenshots, "pack-open.png"), fullPage: true });
      await look(page, "pack-open");
      await shoot({ pack: "/console" }, "käsittelijä", at);
    } finally {
      other.stop();
      rmSync(policies, { recursive: true, force: true });
    }
  },

  async "every page is accessible in three languages, light and dark, wide and narrow"() {
    const pages = { "sign-in": "/sign-in", lost: "/no/such/page", choose: "/m/harjuvesi", found: "/m/harjuvesi?q=katuvalo" };
    const sender = await visitor();
    for (const [name, service] of [["road", "private-road-grant"], ["notice", "fault-notice"]]) {
      await sender.goto("/m/harjuvesi");
      await sender.locator(`form:has(input[value='${service}']) button`).first().click();
      await sender.waitForURL("**/forms/**");
      pages[`form-${name}`] = sender.url();
    }
    await sender.locator("textarea").first().fill("Kaivon kansi on rikki Rantatiellä.");
    await sender.locator("button[value='check']").click();
    await sender.waitForURL("**/check");
    pages.check = sender.url();
    await sender.goto("/m/harjuvesi");
    await sender.locator(".picks form button").last().click();
    await sender.locator("textarea").first().fill("Milloin kirjasto on auki?");
    await sender.locator("button[value='check']").click();
    await sender.locator("form[action$='/send'] button").click();
    await sender.waitForURL("**/c/**");
    pages.follow = sender.url().split("?")[0];
    pages["own-data"] = `${pages.follow}/data`;
    const console_ = { queue: "/console?view=all", empty: "/console?view=mine", help: "/console/help" };
    const finder = await staff("käsittelijä");
    await finder.goto("/console?view=all");
    const links = await finder.locator("[data-row]").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    links.forEach((link, n) => n < 6 && (console_[`case-${n}`] = link));
    await finder.goto(links.at(-1));
    await finder.locator("form[action$='/claim'] button.primary").click();
    console_.claimed = links.at(-1);
    console_.edit = `${links.at(-1)}/edit`;
    console_.versions = `${links.at(-1)}/versions`;
    for (const [lang, colorScheme, width] of looks) {
      const options = { colorScheme, viewport: { width, height: 900 } };
      for (const [who, paths] of [[await visitor(options), pages], [await staff("käsittelijä", options), console_]]) {
        for (const [name, path] of Object.entries(paths)) {
          await who.goto(path + (path.includes("?") ? "&" : "?") + `lang=${lang}`);
          const shot = `${name}-${lang}-${colorScheme}-${width}`;
          await who.screenshot({ path: join(screenshots, `${shot}.png`), fullPage: true });
          await look(who, shot);
          if (name !== "lost") assert.deepEqual(who.words, [], shot);
          who.words.length = 0;
        }
        await who.context().close();
      }
    }
  },
};

let failed = 0;
const told = Object.entries(stories).filter(([name]) => name.includes(process.env.STORY ?? ""));
for (const [name, story] of told) {
  const started = Date.now();
  try {
    await story();
    console.log(`ok      ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
await browser.close();
demo.stop();
console.log(`${told.length - failed} stories passed, ${failed} failed; screenshots: ${screenshots}`);
process.exit(failed ? 1 : 0);
