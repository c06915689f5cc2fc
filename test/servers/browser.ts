import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where Debian and others put it; `CHROMIUM_PATH` names another one. */
const PATHS = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const executablePath = PATHS.find((path) => path !== undefined && existsSync(path)) ?? null;

/**
 * Whether there is a browser on this machine. Where every store is required the browser is too: there it is true, and a
 * browser that is missing fails the run.
 */
export const HAS_CHROMIUM = executablePath !== null || process.env.REQUIRE_ALL_STORES === '1';

/** A real browser without a window. Close it at the end. Each `newContext()` has cookies and storage of its own. */
export async function launchBrowser(): Promise<Browser> {
  if (executablePath === null)
    throw new Error('Chromium is missing: apt-get install chromium, or set CHROMIUM_PATH');
  return chromium.launch({
    executablePath,
    headless: true,
    // In a container there is neither a sandbox nor much shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}
