// The main job in two real browsers: PARLOR_URL is a demo, SPOTIFY_URL its simulated Spotify. Prints what failed and
// ends with 1. SHOTS, where set, is a folder for pictures of what the two saw.
import { createRequire } from 'node:module';
import assert from 'node:assert/strict';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const { PARLOR_URL: parlor, SPOTIFY_URL: spotify, SHOTS: shots } = process.env;
const user = 'host-1';

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});

/** A person with a browser of their own; whatever its console complains about fails the story. */
async function person(viewport) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  // A ceiling, not a wait: a machine may be busy with other tests.
  page.setDefaultTimeout(90_000);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/404|401/.test(message.text())) complaints.push(message.text());
  });
  return { page, complaints };
}

const sim = async (path, body) => {
  const answer = await fetch(`${spotify}/_sim/${path}`, body && {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `/_sim/${path}: ${answer.status}`);
  return answer.json().catch(() => null);
};
const title = (page) => page.locator('section[aria-label="Now playing"] h2, section[aria-label="Now playing"] .title').first();
/** Where the bar stands, and the instant of the frame that drew it there. */
const position = (page) => page.evaluate(() => new Promise((tell) => {
  requestAnimationFrame((frame) => {
    const { scale } = getComputedStyle(document.querySelector('.progress .bar'));
    tell({ share: Number.parseFloat(scale.split(' ')[0]), at: performance.timeOrigin + frame });
  });
}));

try {
  const host = await person({ width: 1280, height: 800 });
  const guest = await person({ width: 360, height: 740 });

  // The host signs in, and is in a new room.
  await host.page.goto(parlor);
  await host.page.getByRole('link', { name: 'Start a room' }).click();
  await host.page.locator('select[name=user]').selectOption(user);
  await host.page.locator('button[name=decision][value=agree]').click();
  await host.page.waitForURL(/\/[2-9A-Z]{6,10}$/);
  await title(host.page).waitFor();
  const code = new URL(host.page.url()).pathname.slice(1);

  // The guest types the code in lower case, with a space.
  await guest.page.goto(parlor);
  await guest.page.locator('#code').fill(`${code.slice(0, 3)} ${code.slice(3)}`.toLowerCase());
  await guest.page.getByRole('button', { name: 'Join' }).click();
  // Typing replaces the name that is proposed.
  await guest.page.locator('#name').click();
  await guest.page.keyboard.type('Ben');
  assert.equal(await guest.page.locator('#name').inputValue(), 'Ben');
  await guest.page.getByRole('button', { name: 'Join' }).click();
  await title(guest.page).waitFor();
  assert.equal(await title(guest.page).innerText(), await title(host.page).innerText());
  if (shots) {
    await host.page.screenshot({ path: `${shots}/host-1280.png` });
    await guest.page.screenshot({ path: `${shots}/guest-360.png` });
  }

  // Both see the same position, within 250 ms: on a busy machine once its pages have drawn what they know.
  const length = await guest.page.locator('[role=progressbar]').getAttribute('aria-valuemax');
  let apart = Infinity;
  for (let look = 0; look < 40 && apart >= 250; look += 1) {
    const figures = await Promise.all([position(host.page), position(guest.page)]);
    const [one, two] = figures.map(({ share, at }) => share * Number(length) - at);
    apart = Math.abs(one - two);
  }
  assert.ok(apart < 250, `the positions are ${Math.round(apart)} ms apart`);

  // The host's own app changes the track, and both see it.
  const before = await title(host.page).innerText();
  await sim(`users/${user}/app`, { act: 'next' });
  for (const { page } of [host, guest]) {
    await page.waitForFunction((old) => !document.querySelector('section[aria-label="Now playing"]')?.innerText.includes(old), before);
  }
  assert.equal(await title(guest.page).innerText(), await title(host.page).innerText());

  // The guest may not pause, then may.
  assert.equal(await guest.page.getByRole('button', { name: 'Pause', exact: true }).count(), 0);
  const patch = (path, body) => host.page.evaluate(async ([path, body]) => {
    const headers = { 'content-type': 'application/json', 'parlor-client': 'web' };
    return (await fetch(path, { method: 'PATCH', headers, body: JSON.stringify(body) })).status;
  }, [path, body]);
  assert.equal(await patch(`/api/rooms/${code}`, { settings: { guests_can_pause: true } }), 200);
  await guest.page.getByRole('button', { name: 'Pause', exact: true }).click();
  await host.page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  await guest.page.getByRole('button', { name: 'Play', exact: true }).click();
  await host.page.getByRole('button', { name: 'Pause', exact: true }).waitFor();

  // Two votes of two skip it, and both see why.
  const gone = await title(host.page).innerText();
  await guest.page.locator('button.skip').click();
  await host.page.locator('button.skip', { hasText: '1 of 2' }).waitFor();
  if (shots) await host.page.screenshot({ path: `${shots}/host-vote-1280.png` });
  // Where the system forces its colours, a bar still shows how far it is.
  await host.page.emulateMedia({ forcedColors: 'active' });
  const colours = await host.page.locator('.track, .track > .bar').evaluateAll((parts) =>
    parts.map((part) => getComputedStyle(part).backgroundColor));
  assert.equal(new Set(colours).size, 2, `the rail and the bar in forced colours: ${colours}`);
  if (shots) await host.page.screenshot({ path: `${shots}/host-forced-1280.png` });
  await host.page.emulateMedia({ forcedColors: null });
  await host.page.locator('button.skip').click();
  for (const { page } of [host, guest]) {
    await page.getByText(/skipped|voted/i).filter({ hasText: gone }).first().waitFor();
    await page.waitForFunction((old) => !document.querySelector('section[aria-label="Now playing"] h2')?.innerText.includes(old), gone);
  }
  if (shots) await guest.page.screenshot({ path: `${shots}/guest-skipped-360.png` });
  const { journal } = await sim(`users/${user}/player`);
  assert.equal(journal.filter((entry) => entry.by === 'api' && entry.act === 'next').length, 1, 'one skip');

  // Names without a break stay within the screen, of people and of songs.
  const wideName = 'W'.repeat(32);
  assert.equal(await patch('/api/me', { name: wideName }), 200);
  const endless = 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch'.repeat(2);
  const player = {
    device: { id: 'kitchen', is_active: true, name: endless, type: 'Speaker', volume_percent: 60, supports_volume: true },
    is_playing: true, progress_ms: 1000, timestamp: Date.now(), currently_playing_type: 'track', context: null,
    item: {
      type: 'track', id: null, uri: 'spotify:local:a:b:c:200', name: endless, duration_ms: 200_000, explicit: true,
      artists: [{ name: endless, uri: null }], album: { name: endless, uri: null, images: [] }, external_urls: {},
    },
    actions: { disallows: {} },
  };
  await sim('faults', [{ match: { path: '/v1/me/player', user }, kind: 'status', status: 200, body: player }]);
  await sim('clock', { advance_ms: 10_000 });
  for (const { page } of [host, guest]) {
    await page.waitForFunction((name) => document.querySelector('section[aria-label="Now playing"]')?.innerText.includes(name), endless);
    await page.getByText(wideName).first().waitFor();
    const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= screen, `the page is ${wide} wide on a screen of ${screen}`);
  }
  if (shots) await guest.page.screenshot({ path: `${shots}/guest-endless-360.png`, fullPage: true });
  for (const { complaints } of [host, guest]) assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}
