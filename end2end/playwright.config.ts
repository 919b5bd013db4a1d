// How do the browser tests run? `cargo xtask test` builds the program, sets CLUSTER_OVERVIEW_BIN to its path and
// starts Playwright. CHROMIUM is the path of the browser if it is not Debian's.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  workers: 2,
  // A test that passes only at the second attempt has found a bug.
  retries: 0,
  timeout: 60_000,
  // A page that was opened with slow timers polls every 5 s until it receives faster ones.
  expect: { timeout: 10_000 },
  reporter: 'list',
  use: {
    // An element that is not there by then will not appear.
    actionTimeout: 10_000,
    // Shorter than a story's timeout, so that the error names the address that did not answer.
    navigationTimeout: 20_000,
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // Host names of other sites resolve to this machine, as an attacker's could.
        '--host-resolver-rules=MAP *.example 127.0.0.1',
      ],
    },
  },
});
