// The buttons that copy, on every page: a text, a link, or what the page says, as Markdown for a ticket. Styles show them once
// this file is there. Listens on the document, because rows and cards come and go.
const FEEDBACK_MS = 3_000;
const { documentElement: root } = document;

// Whether the clipboard has the text now.
const write = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // There is no clipboard over plain HTTP, nor in most frames.
    const focused = document.activeElement;
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    focused.focus();
    return copied;
  }
};

// No name becomes markup.
const escaped = (text) => text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>&|~#]/g, '\\$&');
const inline = (node) => {
  if (!node.matches) return escaped(node.textContent);
  if (node.matches('button, svg')) return '';
  return node.matches('code') ? `\`${node.textContent}\`` : [...node.childNodes].map(inline).join('');
};
const all = (part, selector) => [...part.querySelectorAll(selector)].map((element) => inline(element).trim());
const state = (part) => part.querySelector('.icon').getAttribute('aria-label');
// The address of this page, with another query.
const address = (query) => new URL(query, location).href.replaceAll(')', '%29');

const row = (server) => {
  const [name, facts] = all(server, '.server-name a, .facts');
  const problems = [...server.querySelectorAll('.problem')].map((problem) => `\n- ${all(problem, '.emphasized, .reason').join(' ')}`);
  return `**${name}** (${facts}): ${state(server)}${problems.join('')}`;
};

const hint = (card) => {
  const since = [...card.querySelectorAll('.since')].map(({ title }) => title).join(', ');
  const at = new URLSearchParams(location.search).get('at') ?? document.querySelector('[data-at]').dataset.at;
  return [
    `**${state(card)}: ${all(card, 'h3')}**${since && ` (${since})`}`,
    inline(card.querySelector('summary p').lastChild).replace(/^ · /, ''),
    all(card, '.subjects a, .subjects li.muted').join(', '),
    all(card, 'ol > li').map((step, place) => `${place + 1}. ${step}`).join('\n'),
    ...all(card, '.avoid').map((text) => `> ${text}`),
    ...all(card, 'details > p.muted'),
    address(`?at=${encodeURIComponent(at)}#${card.id}`),
  ].filter(Boolean).join('\n\n');
};

const history = (page) => [
  `**[${all(page, 'h1')}](${address(location.search)})**, ${all(page, '.from-until')}`,
  [...page.querySelectorAll('.strips > li:not(.axis)')].filter((strip) => !strip.closest('details:not([open])')).map((strip) => {
    const [name, percent, words] = [0, -2, -1].map((place) => inline([...strip.children].at(place)));
    return `- ${name}: ${percent}, ${words}`;
  }).concat(all(page, '.more, .quiet:not([open]) > summary').map((text) => `- ${text}`)).join('\n'),
  [...page.querySelectorAll('.events > li')].map((event) => {
    const [link, subject] = event.children;
    const time = link.firstElementChild.dateTime.replace(/T(.*)\..*/, ' $1Z');
    return `- [${time}](${link.href}) **${inline(subject).trim()}**: ${all(event, 'p').join('; ')}`;
  }).concat(all(page, '.no-events')).join('\n'),
].filter(Boolean).join('\n\n');

const markdown = (button) => {
  const server = button.closest('.server');
  const card = button.closest('article');
  if (server) return row(server);
  return card ? hint(card) : history(button.closest('main'));
};
const textOf = (button, source) => {
  const { copy, copyLink } = button.dataset;
  return copy ?? source?.textContent ?? (copyLink ? address(copyLink) : markdown(button));
};

addEventListener('click', async ({ target }) => {
  const button = target.closest?.('.copy');
  if (!button) return;
  const source = document.getElementById(button.dataset.copyText);
  const copied = await write(textOf(button, source));
  if (!copied && !source) return;
  // The keyboard can copy what is selected.
  if (!copied) getSelection().selectAllChildren(source);
  const said = button.querySelector('[data-copied-text]') ?? document.querySelector('#copied');
  said.dataset.label ??= said.textContent;
  said.textContent = copied ? said.dataset.copiedText : said.dataset.selectedText;
  button.dataset.copied = '';
  setTimeout(() => {
    said.textContent = said.dataset.label;
    delete button.dataset.copied;
  }, FEEDBACK_MS);
});

root.dataset.copies = '';
