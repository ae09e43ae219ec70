// Queries the open database in the reader's own browser. Nothing is loaded before the first query, and nothing is sent.
const section = document.querySelector('#ask');
const [field, run, save, said, place] = ['#sql', '#run', '#save', '#said', '#answer'].map(id => document.querySelector(id));
const text = section.dataset;
const most = 5000;
let database;

function load(path) {
  return new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = text.folder + path;
    script.onload = done;
    script.onerror = () => failed(new Error(path));
    document.head.append(script);
  });
}

async function open() {
  if (database) return;
  said.textContent = text.loading;
  await Promise.all([load('engine.js'), load('data.js')]);
  const engine = await initSqlJs();
  database = new engine.Database(Uint8Array.from(atob(fuxueData), letter => letter.charCodeAt(0)));
}

function answer(sql) {
  const statement = database.prepare(sql);
  const rows = [];
  while (rows.length < most && statement.step()) rows.push(statement.get());
  const heads = statement.getColumnNames();
  statement.free();
  return { heads, rows };
}

function cell(name, content) {
  const made = document.createElement(name);
  if (name === 'th') made.scope = 'col';
  if (typeof content === 'number') made.className = 'number';
  if (content === null) {
    const empty = made.appendChild(document.createElement('span'));
    empty.className = 'waiting';
    empty.textContent = text.empty;
  } else {
    made.textContent = content;
  }
  return made;
}

function show({ heads, rows }) {
  const table = document.createElement('table');
  table.createCaption().textContent = text.caption;
  table.createTHead().insertRow().append(...heads.map(head => cell('th', head)));
  const body = table.createTBody();
  for (const row of rows) body.insertRow().append(...row.map(content => cell('td', content)));
  place.replaceChildren(table);
  place.hidden = !heads.length;
  said.textContent = text.rows.replace('#', rows.length) + (rows.length === most ? ` ${text.more}` : '');
  save.hidden = !rows.length;
  save.onclick = () => download([heads, ...rows]);
}

// Saves rows as CSV. A text that begins like a formula gets an apostrophe; the byte-order mark lets Excel recognise UTF-8.
function download(rows) {
  const quote = content => {
    const safe = typeof content === 'string' && /^[=+\-@\t\r\n＝＋－＠]/.test(content) ? `'${content}` : content ?? '';
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  const link = document.createElement('a');
  const csv = '\ufeff' + rows.map(row => row.map(quote).join(',') + '\r\n').join('');
  link.href = URL.createObjectURL(new Blob([csv], { type: 'text/csv' }));
  link.download = 'fuxue.csv';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

run.onclick = async () => {
  run.disabled = true;
  try {
    await open();
    show(answer(field.value));
  } catch (error) {
    place.hidden = save.hidden = true;
    said.textContent = text.failed.replace('#', () => error.message ?? error);
  }
  run.disabled = false;
};

for (const question of document.querySelectorAll('[data-question]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = text.use;
  button.setAttribute('aria-describedby', question.querySelector('summary').id);
  button.onclick = () => {
    field.value = question.querySelector('code').textContent;
    run.click();
    field.scrollIntoView({ block: 'center' });
  };
  question.append(button);
}
section.hidden = false;
