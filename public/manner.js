// How this browser writes numbers and moments, in the document's language and the reader's region. Moments
// are in UTC, as logs have them.
const { lang } = document.documentElement;
const region = navigator.languages.find((tag) => tag.split('-')[0] === lang) ?? lang;
const moment = new Intl.DateTimeFormat(region, {
  dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC', hourCycle: 'h23',
});
export const number = (value) => value.toLocaleString(region);
export const date = (ms) => `${moment.format(ms)} UTC`;
