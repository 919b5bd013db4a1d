// How this browser writes numbers and moments, in the document's language and the reader's region; a browser
// that cannot, in plain digits. Moments are in UTC, as logs have them.
const { lang } = document.documentElement;
const first = (make, plain) => {
  for (const wanted of [(tags) => tags.find((tag) => tag.split('-')[0] === lang) || lang, () => lang]) {
    try {
      const write = make(wanted(navigator.languages));
      // Whether it can is seen by trying.
      write(0);
      return write;
    } catch {
      // The browser refuses the tag, has no list of them, or writes nothing in a language of people.
    }
  }
  return plain;
};
export const number = first((tag) => (value) => value.toLocaleString(tag), String);
export const date = first((tag) => {
  const moment = new Intl.DateTimeFormat(tag, {
    dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC', hourCycle: 'h23',
  });
  return (ms) => `${moment.format(ms)} UTC`;
}, (ms) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`);
