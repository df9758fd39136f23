// What the browser does by itself: theme, panel, jumps to a moment; files of any kind are sent, and what cannot be shown is
// said; and names for what Gradio leaves without one, so that a screen reader can say what it is.
() => {
  const root = document.documentElement;
  const narrow = () => window.innerWidth < 768;
  const all = (selector) => [...document.querySelectorAll(selector)];

  const setTheme = (dark) => document.body.classList.toggle("dark", dark);
  const kept = localStorage.getItem("deepfake-theme");
  if (kept) setTheme(kept === "dark");

  const panel = () => document.querySelector(".sidebar");
  const isOpen = () => panel()?.classList.contains("open") ?? false;

  const jump = (seconds) => {
    // The annotated clip begins with the first frame that was looked at.
    const start = Number(document.querySelector("[data-clip-start]")?.dataset.clipStart ?? 0);
    for (const [selector, time] of [["#video-input video", seconds], ["#clip video", seconds - start]]) {
      all(selector).forEach((player) => { player.pause(); player.currentTime = Math.max(time, 0); });
    }
    if (narrow()) document.querySelector("#clip")?.scrollIntoView({ block: "center" });
  };

  window.deepfake = {
    toggleTheme: () => {
      setTheme(!document.body.classList.contains("dark"));
      localStorage.setItem("deepfake-theme", document.body.classList.contains("dark") ? "dark" : "light");
    },
    toggleAbout: () => panel()?.querySelector(".toggle-button")?.click(),
    // On a narrow screen the answer lies below the fold.
    show: (selector) => { if (narrow()) document.querySelector(selector)?.scrollIntoView({ block: "start" }); },
    showFace: (number) => {
      all(".face").forEach((card) => card.classList.toggle("chosen", card.dataset.face === String(number)));
      all(".face.chosen").find((card) => card.checkVisibility())?.scrollIntoView({ block: "nearest" });
    },
  };

  document.addEventListener("click", (event) => {
    const moment = event.target.closest("[data-time]");
    if (moment) jump(Number(moment.dataset.time));
    if (event.target.closest('a[href="#equality"]')) {
      event.preventDefault();
      if (!isOpen()) window.deepfake.toggleAbout();
      setTimeout(() => document.querySelector("#equality")?.scrollIntoView({ block: "start" }), 400);
    }
  });

  // Gradio sends a file only where the browser has a type for its ending. Here its first bytes decide, on the server: every
  // file is sent, and a refusal is said where the answer would stand.
  const SLIDERS = { "#picture-input": "#picture-slider", "#compare-first": "#first-slider", "#compare-second": "#second-slider" };
  const PICTURES = Object.keys(SLIDERS).join();
  const typeAt = (found) => (found.closest(PICTURES) ? "image/" : found.closest("#video-input") ? "video/" : null);
  const typed = (files, type) => {
    const transfer = new DataTransfer();
    for (const file of files) {
      const known = file.type.startsWith(type);
      transfer.items.add(known ? file : new File([file], file.name, { type: `${type}unknown`, lastModified: file.lastModified }));
    }
    return transfer;
  };
  document.addEventListener("change", ({ target }) => {
    const type = target.type === "file" && typeAt(target);
    if (type) target.files = typed(target.files, type).files;
  }, true);
  document.addEventListener("drop", (event) => {
    const type = typeAt(event.target);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!type || files.every((file) => file.type.startsWith(type))) return;
    // What is dropped cannot be changed: it is dropped once more, with types.
    event.preventDefault();
    event.stopPropagation();
    const again = { bubbles: true, cancelable: true, dataTransfer: typed(files, type) };
    event.target.dispatchEvent(new DragEvent("drop", again));
  }, true);

  // What the browser cannot show is hidden, and words stand in its place until the server has drawn it.
  const drawnFor = (found) => document.querySelector(`${SLIDERS[`#${found.closest(PICTURES)?.id}`]} img`)?.src ?? "";
  const look = (event) => {
    const { type, target } = event;
    if (!target.matches?.("img, video") || !typeAt(target)) return;
    const isShown = type !== "error" && target.videoWidth !== 0;
    // Gradio would call it an error, though the answer needs no player.
    if (type === "error") event.stopPropagation();
    // An answer about the file before may still be there: what it drew is not this.
    if (isShown) delete target.dataset.unshown;
    else target.dataset.unshown = drawnFor(target);
  };
  for (const type of ["error", "load", "loadedmetadata"]) document.addEventListener(type, look, true);
  const showDrawn = () => all("img[data-unshown]").forEach((found) => {
    const drawn = drawnFor(found);
    if (drawn && drawn !== found.dataset.unshown && drawn !== found.src) found.src = drawn;
  });

  const name = (selector, label) =>
    all(selector).forEach((found) => {
      if (!found.innerText.trim() && !found.hasAttribute("aria-label")) found.setAttribute("aria-label", label);
    });
  const tidy = () => {
    name("button:has(> .image-frame)", "Picture: choose a point, or enlarge it");
    // Gradio calls each by its number alone, whatever is written under it.
    all(".thumbnail-item:has(.caption-label)").forEach((found) => {
      const caption = found.querySelector(".caption-label").innerText.trim();
      if (found.getAttribute("aria-label") !== caption) found.setAttribute("aria-label", caption);
    });
    all(`:is(${PICTURES}, #video-input) input[type=file]`).forEach((found) => found.removeAttribute("accept"));
    showDrawn();
    all(".about table").forEach((found) => { found.tabIndex = 0; });
    all(".sidebar-content").forEach((found) => { found.tabIndex = isOpen() ? 0 : -1; found.inert = !isOpen(); });
    if (root.dir === "rtl") all("[dir=ltr]:not(.scale)").forEach((found) => { found.dir = "rtl"; });
    all("#how").forEach((found) => found.setAttribute("aria-expanded", String(isOpen())));
    all("#timeline .js-plotly-plot:not([data-clicks])").forEach((plot) => {
      plot.dataset.clicks = "";
      plot.on("plotly_click", ({ points }) => jump(points[0].x));
    });
  };
  const language = (navigator.language || "en").split("-")[0];
  // Gradio begins in English where it has no words of its own for a language, though the page's words are there.
  const unknown = { it: "it", zh: "zh-CN" }[language];
  const core = performance.getEntriesByType("resource").find((found) => /\/core-[^/]+\.js$/.test(found.name));
  if (unknown && core) import(core.name).then((gradio) => gradio.changeLocale?.(unknown));
  root.lang = language;
  root.dir = language === "ar" ? "rtl" : "ltr";
  new MutationObserver(tidy).observe(document.body, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["class"],
  });
  tidy();
}
