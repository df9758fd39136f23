// What the browser does by itself: theme, panel, jumps to a moment; and names for what Gradio leaves without one, so that a
// screen reader can say what it is.
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

  const name = (selector, label) =>
    all(selector).forEach((found) => {
      if (!found.innerText.trim() && !found.hasAttribute("aria-label")) found.setAttribute("aria-label", label);
    });
  const tidy = () => {
    name("button:has(> .image-frame)", "Picture: choose a point, or enlarge it");
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
