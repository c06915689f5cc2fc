import { createHash } from 'node:crypto';
import { escapeHtml } from '../../core/text.ts';

/** Text that is HTML already. Everything else is escaped by `html`. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A template of HTML. Escapes every value in it, unless that is `Html`. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const written = values.map((value) => (value instanceof Html ? value.text : escapeHtml(value)));
  return new Html(String.raw({ raw: parts }, ...written));
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --ground: #f3f5f8; --line: #c9d1db; --edge: #7d8896; --accent: #1f5fbf; --link: #1f5fbf; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf1; --soft: #a3adba; --paper: #1b212a; --ground: #12161c; --line: #3a4452; --edge: #6f7b8b; --accent: #2f6fd0; --link: #8ab4f8; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 1.375rem; line-height: 1.25; }
p { margin: 0 0 1rem; color: var(--soft); }
p:last-child { margin-bottom: 0; }
p[role="alert"] { color: var(--bad); }
label { display: block; margin-bottom: 1rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: .25rem; padding: .625rem .75rem; font: inherit; font-weight: 400; color: inherit; background: transparent; border: 1px solid var(--edge); border-radius: .375rem; }
a { color: var(--link); font-weight: 600; }
button { width: 100%; padding: .75rem; font: inherit; font-weight: 600; color: #fff; background: var(--accent); border: 0; border-radius: .375rem; cursor: pointer; }
button.other { margin-top: .75rem; color: inherit; background: transparent; border: 1px solid var(--edge); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;

const STYLE_SOURCE = sourceOf(STYLE);

/**
 * The headers of a page that runs nothing but the text of `script`, loads nothing, tells no other site its address, and
 * stays in no cache.
 */
export function pageHeaders(script?: string): Record<string, string> {
  const scripts = script === undefined ? '' : ` script-src ${sourceOf(script)};`;
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src ${STYLE_SOURCE};${scripts} form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-robots-tag': 'noindex',
  };
}

/** Those of a page that runs nothing. */
export const PAGE_HEADERS = pageHeaders();

/** Names a text in a content security policy. */
function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** A whole page around its content. */
export function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.text;
}
