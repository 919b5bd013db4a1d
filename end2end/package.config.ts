// How does the story of the package run? `cargo xtask test` builds the package and starts Playwright.
import { defineConfig } from '@playwright/test';
import stories from './playwright.config';

export default defineConfig({ ...stories, testDir: 'package', workers: 1, timeout: 15 * 60_000 });
