// What the pictures of the benchmark have in common.

export type Theme = 'light' | 'dark';

export const THEMES: readonly Theme[] = ['light', 'dark'];

export const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

/** What is written, in the colours that a page may have. */
export const INK: { [theme in Theme]: { text: string; muted: string } } = {
  light: { text: '#1f2328', muted: '#59636e' },
  dark: { text: '#f0f6fc', muted: '#9198a1' },
};

/** For texts and for the values of attributes. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
