// Filters and sorts tables that have data-filter; without this script the page shows the same content. A row's place is
// the middle of where its figure may lie. Rows without a figure in the column always come last.
for (const table of document.querySelectorAll('table[data-filter]')) {
  const bodies = [...table.tBodies];
  const rows = bodies.flatMap(body => [...body.rows].map(row => ({ row, body })));
  const figure = (row, column) => {
    let at = 0;
    for (const cell of row.cells) {
      if (at === column && cell.dataset.low) return +cell.dataset.low + +cell.dataset.high;
      at += cell.colSpan;
    }
    return null;
  };

  const label = document.createElement('label');
  const field = document.createElement('input');
  const shown = document.createElement('output');
  label.className = 'filter';
  field.type = 'search';
  label.append(table.dataset.filter, ' ', field, ' ', shown);
  table.parentNode.before(label);
  field.oninput = () => {
    const wanted = field.value.trim().toLowerCase();
    for (const { row } of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    const left = rows.filter(({ row }) => !row.hidden).length;
    shown.textContent = wanted && table.dataset.shown.replace('#', left).replace('#', rows.length);
  };

  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.matches('.number')) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const next = { none: 'descending', descending: 'ascending', ascending: 'none' }[head.getAttribute('aria-sort') || 'none'];
      for (const other of heads) other.removeAttribute('aria-sort');
      if (next === 'none') {
        for (const { row, body } of rows) body.append(row);
        return;
      }
      head.setAttribute('aria-sort', next);
      const direction = next === 'ascending' ? 1 : -1;
      const known = rows.filter(({ row }) => figure(row, column) !== null);
      known.sort((a, b) => direction * (figure(a.row, column) - figure(b.row, column)));
      bodies[0].append(...[...known, ...rows.filter(one => !known.includes(one))].map(({ row }) => row));
    };
  });
}
