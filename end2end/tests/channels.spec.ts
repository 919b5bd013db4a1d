// Can an admin see whether each channel works, try it and pause it, and does an incident say who was told of it?
import { writeFileSync } from 'node:fs';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { Cluster, expect, focusedId, horizontalOverflow, test as base } from './cluster';
import { openAsViewer, signInFirstAdmin } from './sign-in';

/** The receiver of two webhooks, `ops` and `night-shift`. */
class Receiver {
  /** What it answers. */
  status = 200;
  /** The titles of what it was told. */
  titles: string[] = [];
  private server: Server = createServer((request, answer) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => {
      this.titles.push(...JSON.parse(text).incidents.map((incident: { title: string }) => incident.title));
      answer.writeHead(this.status, { connection: 'close' }).end();
    });
  });

  /** Writes the channel file, and starts the overview again with it. */
  async start(cluster: Cluster, auth: string) {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    const [secret, file] = ['signing-secret', 'channels.toml'].map((name) => join(cluster.folder, name));
    writeFileSync(secret, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', { mode: 0o600 });
    const channel = (name: string, more: string) =>
      `[[channel]]\nname = "${name}"\nkind = "webhook"\nurl = "http://127.0.0.1:${port}/hook"\n` +
      `secret_file = "signing-secret"\nallow_private = true\n${more}\n`;
    writeFileSync(file, channel('ops', '') + channel('night-shift', 'after = "30m"\nlang = "de"'), { mode: 0o600 });
    cluster.environment.CLUSTER_OVERVIEW_CHANNELS = file;
    await cluster.endProcess('serve', 'SIGTERM');
    await cluster.start(auth === 'none' ? 'none' : 'web,service', '/', auth);
  }

  stop() {
    this.server.close();
  }
}

const test = base.extend<{ receiver: Receiver }>({
  receiver: async ({ cluster, auth }, use) => {
    const receiver = new Receiver();
    await receiver.start(cluster, auth);
    await use(receiver);
    receiver.stop();
  },
});

const expectAccessible = async (page: Page, what: string) => {
  expect((await new AxeBuilder({ page }).analyze()).violations, what).toEqual([]);
  expect(await horizontalOverflow(page), what).toBe(0);
};

const open = (page: Page, cluster: Cluster, path: string) => page.goto(new URL(path, cluster.url).href);
const rowOf = (page: Page, name: string) =>
  page.getByRole('region', { name: 'Channels' }).getByRole('row').filter({ hasText: name });
const messages = (page: Page) => page.getByRole('region', { name: 'Messages' }).getByRole('row');

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('an admin tries a channel from the list, and reads what the receiver answered and what to do', async ({ cluster, receiver, page }) => {
      await open(page, cluster, 'notifications');
      await expect(rowOf(page, 'ops')).toContainText('Not used yet');
      await expect(rowOf(page, 'night-shift')).toContainText('Errors that nobody has acknowledged for 30 min');
      await page.getByRole('button', { name: 'Send a test: ops' }).click();
      await expect(page).toHaveURL(/\/notifications\/channels\/ops#test$/);
      await expect(page.getByRole('status')).toContainText('The receiver accepted the last test');
      await expect(page.getByRole('status')).toContainText('answered 200');
      expect(receiver.titles).toEqual(['Test of the channel ops']);
      receiver.status = 404;
      await page.getByRole('button', { name: 'Send a test' }).click();
      await expect(page.getByRole('status')).toContainText('The receiver did not accept the last test');
      await expect(page.getByRole('status')).toContainText('404');
      await expect(page.getByRole('status')).toContainText('Check the channel in the file of --channels');
      await expect(messages(page)).toContainText(['Sent', 'Not accepted', 'Delivered']);
      await page.getByRole('link', { name: 'All channels and incidents' }).click();
      await expect(rowOf(page, 'ops')).toContainText('Works');
    });

    test('an admin pauses a channel with a reason, everybody sees it, and it is resumed', async ({ cluster, receiver, page }) => {
      await open(page, cluster, 'notifications');
      await page.getByRole('link', { name: 'ops', exact: true }).click();
      await page.getByLabel('For', { exact: true }).selectOption('8 hours');
      await page.getByLabel('Reason for the others').fill('Move to Oslo');
      await page.getByRole('button', { name: 'Pause' }).click();
      const state = page.getByRole('definition').filter({ hasText: 'Paused' });
      await expect(state).toContainText(/Until .*\d.*\. By anybody: Move to Oslo/);
      await page.getByLabel('For', { exact: true }).selectOption('3 days');
      await page.getByRole('button', { name: 'Change the pause' }).click();
      await expect(state, 'the reason stays').toContainText('Move to Oslo');
      await open(page, cluster, 'notifications');
      await expect(rowOf(page, 'ops')).toContainText('Paused');
      await open(page, cluster, 'notifications/channels/ops');
      await page.getByRole('button', { name: 'Resume now' }).click();
      await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
      await expect(state).toHaveCount(0);
      expect(receiver.titles).toEqual([]);
    });
  });
}

test('without a channel file the page says how to begin', async ({ cluster, page }) => {
  await open(page, cluster, 'notifications');
  await expect(page.getByText('No channels are set up')).toBeVisible();
  await expect(page.getByText('start the web servers with --channels FILE')).toBeVisible();
});

test('an incident says who was told of it, and the channel what it was told', async ({ cluster, receiver, page }) => {
  test.slow();
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
  await open(page, cluster, 'notifications');
  const title = 'bad-1 uses a different encryption key';
  const incident = page.getByRole('link', { name: title });
  await expect(async () => {
    await page.reload();
    await expect(incident).toBeVisible({ timeout: 500 });
  }).toPass();
  await incident.click();
  await expect(page.getByText('Nobody has been told yet. An incident is told when it has lasted for 30 s')).toBeVisible();
  // A problem of less than half a minute is told to nobody.
  await expect.poll(() => receiver.titles, { timeout: 60_000 }).toContain(title);
  const told = page.getByRole('region', { name: 'Who was told' }).getByRole('row');
  await expect(async () => {
    await page.reload();
    await expect(told).toContainText(['Channel', /That it is open\s*Delivered/], { timeout: 500 });
  }).toPass();
  await expectAccessible(page, 'an incident that was told');
  await told.getByRole('link', { name: 'ops' }).click();
  await expect(messages(page).nth(1)).toContainText('1 new');
  await expectAccessible(page, 'a channel that was told');
  await messages(page).getByRole('link', { name: title }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
});

test('with the keyboard alone one pauses a channel and resumes it', async ({ cluster, receiver, page }) => {
  await open(page, cluster, 'notifications/channels/ops');
  const tabTo = async (id: string) => {
    for (let presses = 0; (await focusedId(page)) !== id; presses += 1) {
      expect(presses, `${id} is reached by Tab`).toBeLessThan(20);
      await page.keyboard.press('Tab');
    }
  };
  await tabTo('duration');
  await page.keyboard.press('ArrowDown');
  await tabTo('reason');
  await page.keyboard.type('lunch');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('definition').filter({ hasText: 'By anybody: lunch' })).toBeVisible();
  await tabTo('reason');
  for (const press of ['Tab', 'Tab', 'Enter']) await page.keyboard.press(press);
  await expect(page.getByRole('button', { name: 'Resume now' })).toHaveCount(0);
  expect(receiver.titles).toEqual([]);
});

test.describe('where people sign in', () => {
  test.use({ auth: 'password' });

  test('a viewer reads how the channels are, and finds no buttons', async ({ cluster, receiver, page, browser }) => {
    await signInFirstAdmin(cluster, page);
    await open(page, cluster, 'notifications/channels/ops');
    receiver.status = 500;
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    const viewer = await openAsViewer(cluster, browser);
    await open(viewer, cluster, 'notifications');
    await expect(rowOf(viewer, 'ops')).toContainText('By Ann');
    await expect(viewer.getByRole('button', { name: /Send a test/ })).toHaveCount(0);
    await viewer.getByRole('link', { name: 'ops', exact: true }).click();
    await expect(messages(viewer).nth(1)).toContainText('Not accepted');
    await expect(viewer.getByRole('button', { name: /Send|Pause|Resume/ })).toHaveCount(0);
    await viewer.context().close();
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`the pages are accessible and fit, ${colorScheme}, ${width} px`, async ({ cluster, receiver, page }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await open(page, cluster, 'notifications/channels/night-shift');
      await page.getByLabel('Reason for the others').fill('x'.repeat(200));
      await page.getByRole('button', { name: 'Pause' }).click();
      for (const status of [200, 500]) {
        receiver.status = status;
        await open(page, cluster, 'notifications');
        await page.getByRole('button', { name: 'Send a test: ops' }).click();
        await expect(page.getByRole('status')).toContainText(String(status));
      }
      for (const path of ['notifications', 'notifications?lang=de', 'notifications/channels/ops', 'notifications/channels/night-shift?lang=de']) {
        await open(page, cluster, path);
        await expectAccessible(page, `${path}, ${colorScheme}, ${width} px`);
      }
    });
  }
}
