// Fills in the one-time code of a link. It is in the fragment of the address, which browsers do not send.
const field = document.getElementById('code');

const fillIn = () => {
  const code = location.hash.slice(1);
  if (!field || !code) return;
  // Neither the history nor a screenshot keeps it.
  history.replaceState(null, '', location.pathname + location.search);
  field.value = code;
  if (field.form.dataset.send === 'filled') field.form.requestSubmit();
};

// A link that is opened in a tab which already shows this page changes only the fragment.
addEventListener('hashchange', fillIn);
fillIn();
