// What users do with an answer, told by its handle to the collector that serves this file:
//
//   import {feedback, watch} from "https://collector.example/feedback.js";
//   await feedback(handle, "thumb_up");
//   await feedback(handle, "report", {comment: "It is the wrong city."});
//   watch(element, handle); // tells when something in the element is copied

const endpoint = new URL("v1/feedback", import.meta.url);
const underWay = new Set();

/**
 * Tells what the user does. Of each kind the first counts for an answer.
 * value: from 0 (bad) to 1 (good), for kinds that have a scale; comment: the user's own words.
 * Resolves to "accepted", else to the reason, as "repeated", "expired" or "unreachable"; it never rejects.
 */
export async function feedback(handle, kind, options) {
  const {value, comment} = options ?? {};
  const body = JSON.stringify({handle, kind, value, comment});
  underWay.add(body);
  try {
    // A text goes without a preflight, and keepalive goes on when the page is left.
    const answer = await fetch(endpoint, {method: "POST", body, keepalive: true, credentials: "omit"});
    return (await answer.json()).status;
  } catch {
    if (navigator.onLine) return "unreachable";
  } finally {
    underWay.delete(body);
  }
  await new Promise((online) => addEventListener("online", online, {once: true}));
  return feedback(handle, kind, options);
}

/** Tells, once, when the user copies something out of the element. */
export function watch(element, handle) {
  element.addEventListener("copy", () => feedback(handle, "copy"), {once: true});
}

// Firefox before 133 has no keepalive: what is under way would be lost.
if (!("keepalive" in Request.prototype)) {
  addEventListener("pagehide", () => underWay.forEach((body) => navigator.sendBeacon(endpoint, body)));
}
