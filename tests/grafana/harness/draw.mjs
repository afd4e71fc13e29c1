// node draw.mjs < plan.json > verdict.json: draws boards in a headless Chromium and says what became of every panel.
//
// plan: {prometheus, now (ms), shots: [{board (file), from, to, theme, width, variables?, picture? (file)}]}
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { chromium } from 'playwright-core';

const HERE = import.meta.dirname;
const KINDS = { '.js': 'text/javascript', '.html': 'text/html', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const PATIENCE = 60_000;

const plan = JSON.parse(fs.readFileSync(0, 'utf8'));
let shown; // the board's file that /board.json is

function fileOf(url) {
  if (url === '/board.json') {
    return shown;
  }
  if (url.includes('/fonts/inter/')) {
    const weight = url.includes('Medium') ? 500 : 400;
    return path.join(HERE, `node_modules/@fontsource/inter/files/inter-latin-${weight}-normal.woff2`);
  }
  if (url.startsWith('/public/')) {
    const file = path.join(HERE, 'node_modules/@grafana/ui/dist', url.replace('/public/build/', '/public/'));
    // Two icons of the time picker are in Grafana's core only; their neighbours stand in.
    return file.replace('angle-double-left', 'angle-double-right').replace('sync-slash', 'sync');
  }
  return path.join(HERE, 'dist', url === '/' ? 'index.html' : url);
}

const server = http.createServer((request, response) => {
  if (request.url.startsWith('/prometheus/')) {
    const target = plan.prometheus + request.url.slice('/prometheus'.length);
    const onward = http.request(target, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
    return;
  }
  const file = fileOf(new URL(request.url, 'http://here').pathname);
  if (!fs.existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': KINDS[path.extname(file)] ?? 'application/octet-stream' });
  fs.createReadStream(file).pipe(response);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

async function draw(browser, shot) {
  shown = shot.board;
  const context = await browser.newContext({ viewport: { width: shot.width, height: 900 }, timezoneId: 'UTC', locale: 'en-US' });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text().slice(0, 500)));
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error).slice(0, 900)));
  page.on('response', (answer) => answer.status() >= 400 && complaints.push(`${answer.status()} ${answer.url()}`));
  await page.clock.setFixedTime(plan.now);
  const query = new URLSearchParams([['from', shot.from], ['to', shot.to], ['theme', shot.theme], ...(shot.variables ?? [])]);
  await page.goto(`http://127.0.0.1:${server.address().port}/?${query}`);
  const settled = () => {
    const states = window.panelStates?.() ?? [];
    return states.length > 0 && states.every((panel) => panel.state === 'Done' || panel.state === 'Error');
  };
  await page.waitForFunction(settled, null, { timeout: PATIENCE }).catch(() => complaints.push(`not all panels were done after ${PATIENCE} ms`));
  // As tall as the board, so that every panel is drawn and the picture holds all of it.
  const height = await page.evaluate(() => document.querySelector('#root').scrollHeight);
  await page.setViewportSize({ width: shot.width, height: Math.ceil(height) + 16 });
  await page.waitForTimeout(700);
  const panels = await page.evaluate(() => window.panelStates());
  const cut = await page.evaluate(cutTexts, NAMES);
  const empty = await page.evaluate(() => document.querySelectorAll('[data-empty]').length);
  if (shot.picture) {
    await page.screenshot({ path: shot.picture });
  }
  await context.close();
  return { ...shot, panels, complaints: [...new Set(complaints)], cut, empty };
}

// Where names stand: in panel titles, legends, tables, and beside or above bars, whose names have no class and no test id.
const NAMES = '[data-testid^="data-testid Panel header"] h2, [class*="LegendLabel"], [data-testid^="VizLegend series"], [role="columnheader"], [role="gridcell"], [style*="text-overflow: ellipsis"]';

/** Those that do not fit into the place they have. */
function cutTexts(names) {
  const found = [];
  for (const one of document.querySelectorAll(names)) {
    if (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow !== 'visible') {
      found.push(one.textContent);
    }
  }
  for (const label of document.querySelectorAll('[class*="LegendLabel"]')) {
    const panel = label.closest('section, [data-viz-panel-key]');
    if (panel && label.getBoundingClientRect().bottom > panel.getBoundingClientRect().bottom) {
      found.push(`${label.textContent} (below the panel)`);
    }
  }
  return found;
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: QUIET });
const verdicts = [];
for (const shot of plan.shots) {
  verdicts.push(await draw(browser, shot));
}
await browser.close();
server.close();
process.stdout.write(JSON.stringify(verdicts));
