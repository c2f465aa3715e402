// Spotify's own app, played by this page: it acts through the simulator's controls, as the host would by hand.
const user = document.body.dataset.user;
const at = (id) => document.getElementById(id);
const PLAY = "M7 4v16l13-8z";
const PAUSE = "M6 4h4v16H6zM14 4h4v16h-4z";
let item = null;
let read = 0;
let held = false;
let devices = "";

const clock = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;
const position = () => Math.min(item.duration_ms, item.progress_ms + (item.is_playing ? performance.now() - read : 0));

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function tick() {
  if (!item || held) return;
  at("position").value = position();
  at("elapsed").textContent = clock(position());
}

function show(view) {
  item = view.item;
  read = performance.now();
  at("who").textContent = `${view.name} (${view.user})`;
  at("title").textContent = item ? item.title : "Nothing plays";
  at("artist").textContent = item ? item.artist : "Choose an album below";
  at("album").textContent = (item && item.album) || "";
  at("art").hidden = !(item && item.image_url);
  if (item && item.image_url && at("art").src !== item.image_url) at("art").src = item.image_url;
  at("toggle").setAttribute("aria-label", item && item.is_playing ? "Pause" : "Play");
  at("toggle-icon").setAttribute("d", item && item.is_playing ? PAUSE : PLAY);
  at("position").disabled = !item;
  if (item) {
    at("position").max = item.duration_ms;
    at("length").textContent = clock(item.duration_ms);
  }
  const known = JSON.stringify(view.devices);
  if (known !== devices) {
    devices = known;
    at("device").replaceChildren(...view.devices.map((device) => option(device.id, device.name)));
    const active = view.devices.find((device) => device.is_active);
    if (active) {
      at("device").value = active.id;
      at("volume").value = active.volume_percent ?? 0;
    } else {
      at("device").prepend(option("", "No device"));
      at("device").value = "";
    }
    at("volume").disabled = !active;
  }
  if (at("albums").length === 1) {
    at("albums").append(...view.albums.map((album) => option(album.uri, `${album.artist}: ${album.name}`)));
  }
  tick();
}

async function look() {
  try {
    const answer = await fetch(`/_sim/users/${user}/view`);
    show(await answer.json());
    at("trouble").textContent = "";
  } catch {
    at("trouble").textContent = "The simulator does not answer. Trying again.";
  }
}

async function act(act, more) {
  try {
    const answer = await fetch(`/_sim/users/${user}/app`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ act, ...more }),
    });
    const trouble = answer.ok ? "" : (await answer.json()).error.message;
    await look();
    at("trouble").textContent = trouble;
  } catch {
    at("trouble").textContent = "The simulator does not answer. Trying again.";
  }
}

at("toggle").onclick = () => act(item && item.is_playing ? "pause" : "play");
at("next").onclick = () => act("next");
at("previous").onclick = () => act("previous");
at("position").oninput = () => {
  held = true;
  at("elapsed").textContent = clock(Number(at("position").value));
};
at("position").onchange = async () => {
  await act("seek", { position_ms: Math.round(Number(at("position").value)) });
  held = false;
};
at("volume").onchange = () => act("volume", { percent: Number(at("volume").value) });
at("device").onchange = () => act("transfer", { device_id: at("device").value });
at("albums").onchange = () => {
  if (at("albums").value) act("play", { context_uri: at("albums").value });
  at("albums").value = "";
};
look();
setInterval(look, 2000);
setInterval(tick, 250);
