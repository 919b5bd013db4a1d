// The buttons that copy a text of the page. Where the clipboard is not available, such as over plain HTTP, they select the
// text, so that the keyboard can copy it.
const FEEDBACK_MS = 4_000;

const select = (element) => {
  const selection = getSelection();
  selection.removeAllRanges();
  const range = document.createRange();
  range.selectNodeContents(element);
  selection.addRange(range);
};

const copy = async (element) => {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    select(element);
    return false;
  }
};

for (const button of document.querySelectorAll('button.copy')) {
  const label = button.querySelector('span');
  const text = label.textContent;
  let timer;
  button.addEventListener('click', async () => {
    const copied = await copy(document.getElementById(button.dataset.text));
    label.textContent = copied ? button.dataset.copied : button.dataset.selected;
    clearTimeout(timer);
    timer = setTimeout(() => { label.textContent = text; }, FEEDBACK_MS);
  });
  button.hidden = false;
}
