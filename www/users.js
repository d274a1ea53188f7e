// Sends the name as { "Nombre": … } and shows where the server has put it. Without this script the
// form still works: it then sends its field as text.
const form = document.querySelector('#user');
const created = document.querySelector('#created');

function show(kind, ...parts) {
  created.className = kind;
  created.replaceChildren(...parts);
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  show('', 'Sending…');
  try {
    const response = await fetch('/createUser', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ Nombre: form.elements.Nombre.value }),
    });
    const location = response.headers.get('Location');
    if (response.status !== 201 || !location) {
      show('bad', `Not created: ${response.status} ${response.statusText}`);
      return;
    }
    const link = document.createElement('a');
    link.href = location;
    link.textContent = location;
    form.reset(); // First: it empties the output, too.
    show('good', 'Created ', link);
  } catch (error) {
    show('bad', `No answer: ${error.message}`);
  }
});
