// Formats the times of a page as this browser does; the server does not know its region.
import { date } from './locale.js';

export const formatTimes = (root) => {
  for (const time of root.querySelectorAll('time[datetime]:not([data-utc])')) {
    time.title = time.textContent;
    time.textContent = date(Date.parse(time.dateTime));
  }
};

formatTimes(document);
