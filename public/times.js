// Writes the moments of a plain document as this browser writes them: the server cannot know.
import { date } from './locale.js';

for (const time of document.querySelectorAll('time[datetime]')) {
  time.title = time.textContent;
  time.textContent = date(Date.parse(time.dateTime));
}
