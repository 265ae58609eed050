/**
 * Text that others wrote, shown so that it can do nothing: it is never markup, its direction ends with it, characters
 * that cannot be seen are named, and what is long is cut until the reader asks for all of it.
 */

import { html, nothing } from "./lit-html.js";
import { TEXTS, count } from "./texts.js";

const LINE = 160;
const BLOCK = 600;

// Controls, marks that turn the direction of what follows, and characters without a width.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A text in a sentence: cut where it is long. */
export const inline = (value) => {
  const text = String(value ?? "");
  return html`<bdi class="text">${seen(cut(text, LINE))}</bdi>`;
};

/** A text of its own: whole, behind a summary where it is long. */
export function block(value) {
  const text = String(value ?? "");
  if (text.length <= BLOCK) return html`<bdi class="text">${seen(text)}</bdi>`;
  return html`<bdi class="text">${seen(cut(text, BLOCK))}</bdi>
    <details class="long">
      <summary>${TEXTS.showAll(count(text.length))}</summary>
      <bdi class="text">${seen(text)}</bdi>
    </details>`;
}

function cut(text, length) {
  if (text.length <= length) return text;
  const end = /[\ud800-\udbff]$/.test(text.slice(0, length)) ? length - 1 : length;
  return `${text.slice(0, end)}…`;
}

function seen(text) {
  const marks = text.match(UNSEEN);
  if (!marks) return text;
  return text.split(UNSEEN).map((part, index) => html`${part}${index < marks.length ? mark(marks[index]) : nothing}`);
}

function mark(character) {
  const code = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  return html`<span class="unseen" title=${TEXTS.unseen}>${code}</span>`;
}
