// How do the browser tests run? `cargo xtask test` builds the program, names it in
// CLUSTER_OVERVIEW_BIN and starts this; CHROMIUM names another browser than Debian's.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests',
  workers: 2,
  // A test that passes at its second try is a bug somebody else will meet.
  retries: 0,
  timeout: 60_000,
  // A page that was opened under slow timers asks every 5 s, and hears of faster ones only then.
  expect: { timeout: 10_000 },
  reporter: 'list',
  use: {
    // What is not there after so long will not come.
    actionTimeout: 10_000,
    // Before a story's own time is over, so that it says which address was not answered.
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
        // Names of other sites lead to this machine, as an attacker's would.
        '--host-resolver-rules=MAP *.example 127.0.0.1',
      ],
    },
  },
});
