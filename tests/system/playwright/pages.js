// What a visitor's browser does with a site: driven by run_pages.py, which made the site and
// started the server.
//
//   node pages.js BASE CHROMIUM PICTURES      prints one JSON object: what was seen
//
// Nothing is judged here but what cannot be seen afterwards (a wait that does not end is
// an error); run_pages.py compares.
"use strict";

const { chromium } = require("playwright-core");

const [base, executablePath, pictures] = process.argv.slice(2);
const WAIT_MS = 60000;

// Everything that a page says or asks for.
function listen(page, seen) {
	page.on("console", (message) => {
		if (message.type() === "error" || message.type() === "warning")
			seen.console.push(message.text());
	});
	page.on("pageerror", (error) => seen.errors.push(String(error)));
	page.on("requestfailed", (request) => {
		// A video's element ends requests itself once it has what it needs.
		if (request.resourceType() !== "media")
			seen.failed.push(request.url() + " " + request.failure().errorText);
	});
	page.on("response", (response) => seen.responses.push({
		path: response.url().replace(base, ""),
		status: response.status(),
		type: response.headers()["content-type"],
		coding: response.headers()["content-encoding"],
		range: response.headers()["content-range"],
		location: response.headers()["location"],
	}));
}

function fresh() {
	return { console: [], errors: [], failed: [], responses: [] };
}

async function visit(context, path, look) {
	const seen = fresh();
	const page = await context.newPage();

	page.setDefaultTimeout(WAIT_MS);
	listen(page, seen);
	const answer = await page.goto(base + path, { waitUntil: "load" });
	seen.status = answer.status();
	seen.url = page.url().replace(base, "");
	seen.found = await look(page);
	await page.close();
	return seen;
}

// The page with everything on it.
async function lookAtStart(page) {
	await page.evaluate(() => document.fonts.ready);
	await page.waitForFunction(() => document.body.dataset.script === "ran");
	await page.screenshot({ path: pictures + "/playwright-start.png" });
	return page.evaluate(() => ({
		title: document.title,
		color: getComputedStyle(document.querySelector("h1")).color,
		font: document.fonts.check('16px "Carved"') &&
		    [...document.fonts].every((f) => f.status === "loaded"),
		images: [...document.images].map((i) => i.naturalWidth),
		fetched: document.body.dataset.fetched,
	}));
}

// A video, played from its beginning and then sought into.
async function lookAtVideo(page) {
	const played = await page.evaluate(async () => {
		const video = document.querySelector("video");
		const event = (name) => new Promise((done, failed) => {
			video.addEventListener(name, done, { once: true });
			video.addEventListener("error", () =>
			    failed(new Error(name + ": " + video.error.message)), { once: true });
		});

		if (video.readyState < 2) {
			const loaded = event("loadeddata");
			video.load();
			await loaded;
		}
		const seeked = event("seeked");
		video.currentTime = video.duration * 0.9;
		await seeked;
		/* The element may have had all of it by then; this part is asked for. */
		const part = await fetch(video.currentSrc, {
			headers: { Range: "bytes=-1000000" }, cache: "no-store",
		});
		await part.arrayBuffer();
		return { duration: video.duration, at: video.currentTime,
			width: video.videoWidth, ready: video.readyState };
	});
	await page.screenshot({ path: pictures + "/playwright-video.png" });
	return played;
}

function lookAtText(picture) {
	return async (page) => {
		if (picture)
			await page.screenshot({ path: `${pictures}/${picture}.png` });
		return { title: await page.title(), text: await page.textContent("body") };
	};
}

async function main() {
	const browser = await chromium.launch({
		executablePath, headless: true,
		args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--no-proxy-server"],
	});
	const context = await browser.newContext({
		ignoreHTTPSErrors: true, viewport: { width: 1000, height: 700 },
	});
	const seen = {
		start: await visit(context, "/", lookAtStart),
		again: await visit(context, "/", lookAtStart),
		about: await visit(context, "/about", lookAtText("playwright-about")),
		video: await visit(context, "/film/", lookAtVideo),
		missing: await visit(context, "/docs/missing", lookAtText("playwright-404")),
		moved: await visit(context, "/blog/2024/stone?from=mail", lookAtText()),
		rewritten: await visit(context, "/app/deep/link", lookAtText()),
	};
	await browser.close();
	console.log(JSON.stringify(seen));
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
