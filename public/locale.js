// Formats numbers and times in the document's language and the user's region and time zone, or in plain digits and UTC if
// the browser cannot.
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
const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short' };
const format = (options, start) => firstSupported((tag) => {
  const formatter = new Intl.DateTimeFormat(tag, options);
  return (ms) => formatter.format(ms);
}, (ms) => `${new Date(ms).toISOString().slice(start, 19).replace('T', ' ')} UTC`);
export const clock = format(time, 11);
export const date = format({ year: 'numeric', month: 'short', day: 'numeric', ...time }, 0);
