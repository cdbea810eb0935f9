// What a page does better with a script: keys (`?` shows them all), a queue that stays fresh, light on what rests on the same facts,
// and files that show how far they are. Every page works without it.
"use strict";

// A queue is moved through with j and k; what has the focus is opened by Enter as any link is.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  if (event.key === "a" && document.querySelector("#confirmed")) {
    event.preventDefault();
    document.querySelector("#confirmed").focus();
    return;
  }
  const help = document.querySelector("[data-help]");
  if (event.key === "?" && help) return help.click();
  const queue = document.querySelector("[data-keys=queue]");
  if (!queue) return;
  const rows = [...queue.querySelectorAll("[data-row]")];
  const at = rows.indexOf(document.activeElement);
  const step = { j: 1, k: -1 }[event.key];
  if (step && rows.length) {
    event.preventDefault();
    rows[Math.min(Math.max(at + step, 0), rows.length - 1)].focus();
  }
});

// The queue is asked for again now and then, and put in place unless somebody is in the middle of a filter.
const live = document.querySelector("[data-live]");
if (live) {
  let seen = null;
  setInterval(async () => {
    if (document.hidden || live.querySelector("form :focus")) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
      if (!answer.ok) return;
      const text = await answer.text();
      if (text === seen) return;
      seen = text;
      const fresh = new DOMParser().parseFromString(text, "text/html");
      const focused = document.activeElement?.getAttribute("href");
      for (const place of ["table.queue tbody", ".tabs", ".top"]) {
        const [old, now] = [document.querySelector(place), fresh.querySelector(place)];
        if (old && now) old.replaceWith(now);
      }
      if (focused) document.querySelector(`[data-row][href="${CSS.escape(focused)}"]`)?.focus();
    } catch {
      // The page as it stands stays; the next round tries again.
    }
  }, 10_000);
}

// Coordinates come from the device only when somebody asks for them; until then the button is not even there.
function offerPlace() {
  const locate = document.querySelector("[data-locate]");
  if (!locate || !("geolocation" in navigator)) return;
  locate.hidden = false;
  locate.querySelector("button").addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      document.querySelector("[name=place-lat]").value = coords.latitude.toFixed(5);
      document.querySelector("[name=place-lon]").value = coords.longitude.toFixed(5);
    });
  });
}
offerPlace();

// What rests on the same facts lights up together: words of the text, facts, sentences of the reasons, rules.
const carriers = [...document.querySelectorAll("[data-facts]")];
const facts = (one) => one.dataset.facts.split(" ").filter(Boolean);
document.addEventListener("focusin", ({ target }) => {
  const names = carriers.filter((one) => one.contains(target)).flatMap(facts);
  for (const one of carriers) {
    one.classList.toggle("lit", !one.contains(target) && facts(one).some((name) => names.includes(name)));
  }
});

// Files on their way show how far they are; the words come from the page. Whatever goes wrong, what was typed stays.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const chosen = [...form.querySelectorAll("input[type=file]")].some((input) => input.files.length);
  if (!form.dataset.progress || !chosen || form.querySelector(".sending")) return;
  event.preventDefault();
  const place = document.createElement("div");
  const told = document.createElement("p");
  const bar = document.createElement("progress");
  place.className = "sending";
  told.setAttribute("role", "status");
  bar.max = 100;
  bar.setAttribute("aria-label", form.dataset.progress);
  place.append(told, bar);
  form.append(place);
  let told_at = -1;
  const tell = (share) => {
    bar.value = share;
    // A reader that speaks is told every quarter of the way.
    if (Math.floor(share / 25) === told_at) return;
    told_at = Math.floor(share / 25);
    told.textContent = `${form.dataset.progress}: ${Math.round(share)} %`;
  };
  const failed = () => {
    bar.remove();
    told.textContent = form.dataset.broken;
    told.className = "fault";
    place.className = "";
  };
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (on) => on.lengthComputable && tell((100 * on.loaded) / on.total));
  request.addEventListener("error", failed);
  request.addEventListener("load", () => {
    if (request.status < 400) return location.assign(request.responseURL);
    const fresh = new DOMParser().parseFromString(request.responseText, "text/html");
    if (!fresh.querySelector("main")) return failed();
    document.title = fresh.title;
    document.body.replaceWith(document.adoptNode(fresh.body));
    offerPlace();
    scrollTo(0, 0);
    document.querySelector("main").focus();
  });
  tell(0);
  request.send(new FormData(form, event.submitter));
});
