// Elements, made without ever reading text as markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(state) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${state}`);
  svg.append(use);
  return svg;
}

export function chip(state, text) {
  return element("span", { class: "chip", "data-state": state }, icon(state), text);
}

// Only what differs is written, so that a screen reader and a selection are left in peace.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The children of `parent` become exactly these, moving as few as can be.
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const child of wanted) {
    if (child === place) place = place.nextElementSibling;
    else {
      const focused = child.contains(document.activeElement) ? document.activeElement : null;
      parent.insertBefore(child, place);
      focused?.focus({ preventScroll: true });
    }
  }
}
