// What the page on which one practises does beside htmx: Enter sends, and after an answer the field is empty again.
"use strict";

const say = document.getElementById("say");
const text = document.getElementById("text");

if (say && text) {
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!say.classList.contains("htmx-request")) say.requestSubmit();
    }
  });
  say.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== say || !event.detail.successful) return;
    text.value = "";
    text.focus();
    document.getElementById("looking").hidden = false; // there is something to look back on
    const last = document.querySelector("#talk li:last-child");
    if (last) last.scrollIntoView({ block: "nearest" });
  });
}
