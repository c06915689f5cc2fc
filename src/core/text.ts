/** Control and format characters and line separators: they forge lines of a log, and terminals obey them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text on one line, fit for logs, events and terminals. Each character that is not becomes `instead`. */
export function printable(text: string, instead = '\uFFFD'): string {
  return text.toWellFormed().replace(UNPRINTABLE, instead);
}

/** Text that is put into HTML, between tags or as the value of an attribute in quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
