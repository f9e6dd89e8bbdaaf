// Draws the diagrams of the documents, in the colours of the theme.
(() => {
  const dark = ['ayu', 'coal', 'navy'].some((theme) => document.documentElement.classList.contains(theme));
  for (const code of document.querySelectorAll('code.language-mermaid')) {
    const drawing = document.createElement('pre');
    drawing.className = 'mermaid';
    drawing.textContent = code.textContent;
    code.parentElement.replaceWith(drawing);
  }
  mermaid.initialize({ startOnLoad: false, theme: dark ? 'dark' : 'default' });
  mermaid.run();
})();
