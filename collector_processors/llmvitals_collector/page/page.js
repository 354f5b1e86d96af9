// The page: asks for the numbers every few seconds, and shows them. The address holds what is asked for.

import {element, heatmap, interval, spark} from "./charts.js";
import {table} from "./tables.js";

const EVERY_MS = 5000;
const WINDOWS = {"5m": "5 minutes", "1h": "1 hour", all: "since the start"};
const MINUTES = {"5m": 5, "1h": 60, all: 0};
const NAMES = {first_token: "First token", duration: "Duration"};
const find = (selector) => document.querySelector(selector);
const address = () => new URLSearchParams(location.search);
const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };

// ---- How numbers are written --------------------------------------------------------------------------------

const digits = (most) => new Intl.NumberFormat("en", {maximumSignificantDigits: most});
const [two, three] = [digits(2), digits(3)];
const whole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const MISSING = "–";
const given = (write) => (value) => (value === undefined || value === null || Number.isNaN(value) ? MISSING : write(value));
const count = given((value) => whole.format(value));
const time = given((value) => (value < 0.9995 ? `${three.format(value * 1000)} ms` : value < 99.95 ? `${three.format(value)} s` : `${whole.format(value)} s`));
const percent = given((value) => (value > 0 && value < 0.0005 ? "< 0.1 %" : value >= 0.9995 && value < 1 ? "> 99.9 %" : `${(value * 100).toFixed(value % 1 ? 1 : 0)} %`));
const speed = given((value) => three.format(value));
const dollars = given((value) => (value >= 100 ? `$${whole.format(value)}` : value >= 1 ? `$${value.toFixed(2)}` : `$${two.format(value)}`));
const share = given((value) => value.toFixed(2));
const range = (each) => `${share(each.low)}–${share(each.high)}`;

const failed = (row) => Object.values(row.errors ?? {}).reduce((sum, each) => sum + each, 0);
const errorShare = (row) => (row.calls ? failed(row) / row.calls : undefined);
const hitShare = (row) => (row.cache?.n ? row.cache.hits / row.cache.n : undefined);
const perThousand = (row) => (row.cost !== undefined && row.calls ? (row.cost / row.calls) * 1000 : undefined);

// ---- Addresses ------------------------------------------------------------------------------------------------

/** The address of the page with something else in its query; undefined takes it out. */
function linked(changes, section = "") {
  const query = address();
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    if (value !== undefined) query.set(name, value);
  }
  const text = query.toString();
  return `/${text && `?${text}`}${section && `#${section}`}`;
}

const narrowed = (filters, section) =>
  linked(Object.fromEntries(Object.entries(filters).map(([name, value]) => [`var-${name}`, value])), section);

function go(url) {
  history.pushState(null, "", url);
  refresh();
}

// What leads to the page itself changes only what it asks for.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !link.getAttribute("href").match(/^\/([?#]|$)/)) return;
  event.preventDefault();
  go(link.href);
  const section = link.hash && find(link.hash);
  if (section) { section.scrollIntoView(); location.replace(link.hash); }
});
addEventListener("popstate", () => refresh());

/** Puts other children into a part; what has the focus there gives it to what comes in its place. */
function put(part, ...children) {
  const there = [...part.childNodes];
  // What is the same stays: it may be being clicked at.
  if (there.length === children.length && there.every((child, place) => child.isEqualNode(children[place]))) return;
  const links = () => [...part.querySelectorAll("a, button")];
  const place = links().indexOf(document.activeElement);
  part.replaceChildren(...children);
  links()[place]?.focus({preventScroll: true});
}

// ---- Parts of the page ------------------------------------------------------------------------------------------

function showControls({choices, window}) {
  put(find("#windows"), ...Object.entries(WINDOWS).map(([name, title]) =>
    element("a", {href: linked({window: name}), "aria-current": name === window ? "true" : null}, title)));
  if (find("#filters").contains(document.activeElement)) return; // it is being used
  find("#filters").replaceChildren(...Object.entries(choices).map(([name, values]) => {
    const chosen = address().getAll(`var-${name}`).filter((value) => values.includes(value) || value === address().get(`var-${name}`));
    const several = chosen.length > 1 ? [option("several", "several", true)] : [];
    const missing = chosen.length === 1 && !values.includes(chosen[0]) && !["$__all", "All", ".*"].includes(chosen[0]) ? chosen : [];
    const options = [...missing, ...values].map((value) => option(`=${value}`, value || "(none)", chosen.length === 1 && chosen[0] === value));
    const select = element("select", {name}, option("", "all", !chosen.length), ...several, ...options);
    select.addEventListener("change", () => {
      select.blur();
      go(linked({[`var-${name}`]: select.value ? select.value.slice(1) : undefined}));
    });
    return element("label", {}, name, select);
  }));
}

const option = (value, text, selected) => element("option", {value, selected}, text);

function showAttention(items) {
  const lines = items.map(({severity, sentence, reason, section, filters = {}, runbook}) => element(
    "li", {class: severity}, element("span", {class: "severity"}, severity), element("p", {}, sentence),
    element("p", {class: "note"}, `${reason} `, element("a", {href: narrowed(filters, section)}, "Details"), " ",
      runbook ? element("a", {href: `/runbooks/${runbook}.md`}, "Runbook") : ""),
  ));
  const fine = element("li", {class: "fine"}, element("span", {class: "severity"}, "fine"), element("p", {}, "Nothing stands out."));
  put(find("#attention ol"), ...(lines.length ? lines : [fine]));
}

function tile(id, title, big, small, note, drawing) {
  return element("section", {class: "tile", id, "aria-label": title}, element("h3", {}, title),
    element("p", {class: "big"}, big, " ", element("small", {}, small)), element("p", {class: "note"}, note), drawing);
}

function showTotals({totals, trend, seconds, quality, thresholds, window}) {
  const minutes = Math.max(1, Math.round(seconds / 60));
  const span = window === "all" ? WINDOWS.all : `last ${minutes < MINUTES[window] * 0.9 ? `${minutes} minute${minutes === 1 ? "" : "s"}` : WINDOWS[window]}`;
  const latency = (id, name) => {
    const {n, p50, p95, p99} = totals[name] ?? {};
    const limit = thresholds[name];
    return tile(id, NAMES[name], time(p95), "p95", `p50 ${time(p50)}, p99 ${time(p99)}, n = ${count(n)}`,
      spark(trend[name].tail, `${NAMES[name]}, p95 by minute, now ${time(trend[name].tail.at(-1))}`, limit));
  };
  const perSecond = (values) => values.map((value, slot) => value / trend.seconds[slot]);
  const classes = Object.entries(totals.errors ?? {}).map(([name, amount]) => `${name} ${count(amount)}`).join(", ");
  const [worst] = quality;
  const {negative} = totals;
  find(".tiles").replaceChildren(
    latency("first-token", "first_token"),
    latency("duration", "duration"),
    tile("speed", "Output speed", speed(totals.speed?.p50), "tokens/s, median", `slowest 5 %: ${speed(totals.speed?.p5)}, n = ${count(totals.speed?.n)}`,
      spark(trend.speed.tail, `Output speed, slowest 5 % by minute`)),
    tile("calls", "Calls", count(totals.calls ?? 0), "", `${two.format((totals.calls ?? 0) / seconds)} per second`, spark(perSecond(trend.calls), "Calls by minute")),
    tile("errors", "Errors", percent(errorShare(totals)), "of the calls", classes || "none",
      spark(trend.errors.map((value, slot) => (trend.calls[slot] ? value / trend.calls[slot] : null)), "Share of errors by minute")),
    tile("cache", "Prompt cache hits", percent(hitShare(totals)), "", `n = ${count(totals.cache?.n)} calls that tell`, null),
    tile("cost", "Cost", dollars(totals.cost), "", `${dollars(perThousand(totals))} per 1,000 calls`, spark(perSecond(trend.cost), "Cost by minute")),
    worst ? tile("worst", `Quality: ${worst.template || "(no template)"}`, share(worst.rate), worst.dimension, `${range(worst)}, n = ${count(worst.looked_at)}, ${worst.how}`,
      interval(worst, from(quality), `${share(worst.rate)}, from ${range(worst)}`))
      : tile("worst", "Quality", MISSING, "", "no answer was looked at", null),
    tile("feedback", "Negative feedback", percent(negative?.rate), "of the answers",
      negative ? `${percent(negative.low)} to ${percent(negative.high)}, n = ${count(negative.n)}` : "no answers", null),
  );
  setText(find("#totals-title"), `${address().toString().includes("var-") ? "The calls that were chosen" : "All calls"}, ${span}`);
}

let heated = "first_token";
let shown;

function showHeatmap() {
  const {trend} = shown;
  put(find("#latency .controls"), ...Object.entries(NAMES).map(([name, title]) => {
    const button = element("button", {type: "button", "aria-pressed": String(name === heated)}, title);
    button.addEventListener("click", () => { heated = name; showHeatmap(); });
    return button;
  }));
  const of = trend[heated];
  const box = find(".heatmap");
  box.hidden = !of.bounds.length;
  if (box.hidden) return setText(find("#pointed"), "Nothing was measured in the last hour.");
  const clock = (slot) => new Date(trend.start[slot] * 1000).toLocaleTimeString();
  const label = `Calls by ${NAMES[heated].toLowerCase()} in the last hour; p95 now ${time(of.tail.at(-1))}`;
  box.replaceChildren(...heatmap(trend, of, label, time, (slot, bucket) => {
    const to = of.bounds[bucket + 1] === null ? "or more" : `to ${time(of.bounds[bucket + 1])}`;
    setText(find("#pointed"), `${clock(slot)}: ${count(of.counts[slot][bucket])} calls of ${time(of.bounds[bucket])} ${to}; p95 ${time(of.tail[slot])}`);
  }));
}

const column = (group, title, about, of, write, kind) => ({group, title, about, of, kind, show: (row) => write(of(row))});

const byName = (filter, title, ...more) => [
  {title, text: true, of: (row) => row.name, show: (row) => element("a", {href: narrowed({[filter]: row.name})}, row.name || "(none)")},
  column("Calls", "n", "How many", (row) => row.calls, count),
  column("Calls", "errors", "The share that fails", errorShare, percent, (row) => (errorShare(row) > 0.05 ? "critical" : errorShare(row) > 0.01 ? "warning" : "")),
  ...["p50", "p95", "p99"].map((each) => column("First token", each, `First token, ${each}`, (row) => row.first_token?.[each], time)),
  ...["p50", "p95", "p99"].map((each) => column("Duration", each, `Duration, ${each}`, (row) => row.duration?.[each], time)),
  ...["p50", "p5"].map((each) => column("Tokens/s", each, `Output speed, ${each}`, (row) => row.speed?.[each], speed)),
  ...more,
  column("", "cache hits", "The share of calls of which the prompt cache held a part", hitShare, percent),
  column("Cost", "all", "In US dollars", (row) => row.cost, dollars),
  column("Cost", "per 1,000", "Of a thousand calls", perThousand, dollars),
  column("Negative", "of answers", "The share of answers", (row) => row.negative?.rate, percent),
  column("Negative", "n", "How many answers", (row) => row.negative?.n, count),
];
const worstQuality = {
  title: "worst quality", about: "The dimension that is closest to its floor, or below it", text: true, kind: () => "wrap", of: (row) => row.quality?.low,
  show: ({quality}) => (quality ? `${share(quality.rate)} (${range(quality)}) ${quality.dimension}, n = ${count(quality.n)}` : MISSING),
};
const from = (rows) => Math.min(0.5, Math.floor(Math.min(1, ...rows.map((row) => row.low)) * 10) / 10);
let lowest = 0;
const qualityColumns = [
  {title: "Template, dimension", text: true, of: (row) => row.name, show: (row) => row.link ?? `version ${row.version}`},
  {title: "interval", text: true, of: (row) => row.low, show: (row) => interval(row, lowest, `${share(row.rate)}, from ${range(row)}`)},
  column("", "rate", "The share of answers that pass", (row) => row.rate, share, (row) => (row.high < row.floor ? "critical" : "")),
  {title: "95 %", about: "The interval that holds the true share", of: (row) => row.low, show: range},
  column("", "floor", "Which the catalogue asks for", (row) => row.floor, share),
  column("", "looked at", "How many answers have a verdict", (row) => row.looked_at, count),
  column("", "n", "Of how many answers, looked at alike, one would know as much", (row) => row.n, count),
  {title: "known by", text: true, of: (row) => row.how, show: (row) => row.how},
];

const showTemplates = table(find("#templates"), byName("template", "Template", worstQuality), 1);
const showModels = table(find("#models"), byName("model", "Model"), 1);
const showSlices = table(find("#quality"), qualityColumns, -1);

const left = (shown, all, what) => (shown < all ? `${count(shown)} of ${count(all)} ${what}; filter to see the others.` : shown ? "" : "Nothing yet.");

function showQuality({quality, slices}) {
  lowest = from(quality.flatMap((row) => [row, ...(row.versions ?? [])]));
  const rows = quality.flatMap((row) => {
    const name = `${row.template || "(no template)"}: ${row.dimension}`;
    const key = JSON.stringify([row.template, row.dimension]);
    const link = element("a", {href: narrowed({template: row.template}, "quality")}, name);
    const all = {...row, key, name, link};
    const versions = (row.versions ?? []).map((each) => ({...each, floor: row.floor, key: `${key} ${each.version}`, under: all, class: "version"}));
    return [all, ...versions];
  });
  showSlices(rows, left(quality.length, slices, "templates and dimensions"));
}

function show(data) {
  shown = data;
  showControls(data);
  showAttention(data.attention);
  showTotals(data);
  showHeatmap();
  const keyed = (rows) => rows.map((row) => ({...row, key: row.name}));
  showTemplates(keyed(data.templates), left(data.templates.length, data.templates_in_all, "templates"));
  showModels(keyed(data.models), left(data.models.length, data.models_in_all, "models"));
  showQuality(data);
}

// ---- Asking -----------------------------------------------------------------------------------------------------

let asked = 0;
let timer;

async function refresh() {
  clearTimeout(timer);
  const mine = ++asked;
  const status = find("#status");
  try {
    const answer = await fetch(`/vitals.json?${address()}`);
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const data = await answer.json();
    if (mine !== asked) return; // meanwhile something else was asked for
    show(data);
    const calls = data.choices.model.length ? "" : " Nothing has come in yet: point an OTLP exporter at the collector, see /debug.";
    setText(status, `Updated ${new Date(data.at * 1000).toLocaleTimeString()}, counting since ${new Date(data.since * 1000).toLocaleString()}.${calls}`);
    status.className = "";
    document.documentElement.dataset.at = data.at;
    if (!performance.getEntriesByName("shown").length) {
      performance.mark("shown");
      document.getElementById(location.hash.slice(1))?.scrollIntoView(); // which was not there yet, or elsewhere
    }
  } catch (error) {
    if (mine !== asked) return;
    setText(status, `No new numbers (${error.message}); what is shown is of the last time that there were any.`);
    status.className = "late";
  }
  timer = setTimeout(refresh, EVERY_MS);
}

// What nobody looks at need not be asked for.
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
refresh();
