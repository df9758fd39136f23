// Names for what Gradio leaves without one, so that a screen reader can say what it is.
() => {
  const name = (selector, label) =>
    document.querySelectorAll(selector).forEach((found) => {
      if (!found.innerText.trim() && !found.hasAttribute("aria-label")) found.setAttribute("aria-label", label);
    });
  const all = () => {
    name("button:has(> .image-frame)", "Picture: choose a point, or enlarge it");
    document.querySelectorAll(".sidebar-content, .about table").forEach((found) => { found.tabIndex = 0; });
  };
  new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
  all();
}
