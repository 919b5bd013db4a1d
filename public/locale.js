// Formats numbers and times in the document's language and the user's region, or in plain digits if the browser
// cannot. Times are in UTC, like those in logs.
const { lang } = document.documentElement;
const firstSupported = (create, fallback) => {
  for (const chooseTag of [(tags) => tags.find((tag) => tag.split('-')[0] === lang) || lang, () => lang]) {
    try {
      const format = create(chooseTag(navigator.languages));
      // Only a call shows whether the browser supports it.
      format(0);
      return format;
    } catch {
      // The browser rejects the tag, has no list of languages, or has no Intl.
    }
  }
  return fallback;
};
export const number = firstSupported((tag) => (value) => value.toLocaleString(tag), String);
export const date = firstSupported((tag) => {
  const formatter = new Intl.DateTimeFormat(tag, {
    dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC', hourCycle: 'h23',
  });
  return (ms) => `${formatter.format(ms)} UTC`;
}, (ms) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`);
