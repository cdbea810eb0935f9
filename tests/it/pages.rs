//! The pages as a browser meets them: signing in, the queue, languages, refusals, and what the headers promise.

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::json;
use vireille::cases::{CheckId, Role};

use crate::support::app::{TestApp, spawn_app};
use crate::support::database::Database;

/// A browser without a script: it keeps cookies, and the story follows its redirects one by one.
pub struct Browser {
    client: reqwest::Client,
    base: String,
    cookies: std::collections::BTreeMap<String, String>,
}

/// A page that came back.
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub html: String,
}

impl Page {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.html.contains(words), "no {words:?} in:\n{}", self.html);
        self
    }

    #[track_caller]
    pub fn leads_to(self, path: &str) -> Self {
        assert_eq!((self.status, self.header("location")), (303, path), "{}", self.html);
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Browser {
    pub fn new(app: &TestApp) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, base: app.base.clone(), cookies: std::collections::BTreeMap::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("accept", "text/html").header("cookie", cookies.join("; "));
        let response = request.send().await.expect("the server answers");
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // The slash is escaped in values; a browser reads it as one.
        Page { status, headers, html: response.text().await.unwrap().replace("&#x2f;", "/") }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.base));
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        self.post_with(path, form, &[("sec-fetch-site", "same-origin")]).await
    }

    pub async fn post_with(&mut self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = self.client.post(format!("{}{path}", self.base)).body(body);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_str(value).unwrap());
        }
        self.send(request).await
    }

    /// Sends a form with files: name of the input, name of the file, bytes.
    pub async fn upload(&mut self, path: &str, form: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Page {
        const EDGE: &str = "----a-browser-makes-this-up";
        let mut body = Vec::new();
        let mut part = |head: &str, bytes: &[u8]| {
            body.extend_from_slice(format!("--{EDGE}\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        };
        for (name, text) in form {
            part(&format!("name=\"{name}\""), text.as_bytes());
        }
        for (input, name, bytes) in files {
            part(&format!("name=\"{input}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream"), bytes);
        }
        body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
        let request = self.client.post(format!("{}{path}", self.base)).body(body);
        let request = request.header("content-type", format!("multipart/form-data; boundary={EDGE}"));
        self.send(request.header("sec-fetch-site", "same-origin")).await
    }

    /// Signs in with a token.
    pub async fn sign_in(&mut self, secret: &str) {
        self.post("/sign-in", &[("token", secret)]).await.expect(303);
    }
}

/// Somebody at their browser, signed in.
pub async fn signed_in(app: &TestApp, caller: &crate::support::app::Caller) -> Browser {
    let mut browser = Browser::new(app);
    browser.sign_in(caller.secret.as_deref().unwrap()).await;
    browser
}

#[tokio::test]
async fn somebody_without_a_session_is_led_to_the_sign_in_and_back() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let mut browser = Browser::new(&app);
    let page = browser.get("/console?view=all&risk=emergency").await;
    page.leads_to("/sign-in?to=/console%3Fview%3Dall%26risk%3Demergency");
    browser.get("/sign-in?to=/console%3Fview%3Dall").await.expect(200).says("value=\"/console?view=all\"");
    let secret = handler.secret.clone().unwrap();
    let page = browser.post("/sign-in", &[("token", &secret), ("to", "/console?view=all")]).await;
    let cookie = page.header("set-cookie").to_owned();
    page.leads_to("/console?view=all");
    for word in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains(&secret), "the cookie is a secret of its own");
    browser.get("/console?view=all").await.expect(200).says("Veera Valmistelija");
    app.stop().await;
}

#[tokio::test]
async fn a_session_ends_with_sign_out_with_time_and_with_its_token() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let mut browser = signed_in(&app, &handler).await;
    let kept = browser.cookies.clone();
    browser.post("/sign-out", &[]).await.leads_to("/sign-in");
    browser.cookies = kept;
    browser.get("/console").await.leads_to("/sign-in?to=/console");

    let mut browser = signed_in(&app, &handler).await;
    app.now_is("2026-03-10T16:10:00Z");
    browser.get("/console").await.expect(200);
    app.now_is("2026-03-11T00:09:00Z");
    browser.get("/console").await.expect(200);
    app.now_is("2026-03-11T08:10:00Z");
    browser.get("/console").await.leads_to("/sign-in?to=/console");

    let mut browser = signed_in(&app, &handler).await;
    let admin = app.person(Role::Admin, "Pia Pääkäyttäjä", None).await;
    let revoked = admin.send(reqwest::Method::DELETE, &format!("/v1/tokens/{}", handler.token), &[], None).await;
    assert!(revoked.status < 300, "{}", revoked.text);
    browser.get("/console").await.leads_to("/sign-in?to=/console");
    app.stop().await;
}

#[tokio::test]
async fn a_person_is_picked_without_a_secret_only_here_and_only_where_it_is_allowed() {
    let database = Database::sqlite().await;
    let open = TestApp::with(&database, |config| config.pages.local_sign_in = true).await;
    let handler = open.handler().await;
    let mut browser = Browser::new(&open);
    browser.get("/sign-in").await.expect(200).says("Veera Valmistelija").says(&handler.token);
    let through = [("sec-fetch-site", "same-origin"), ("x-forwarded-for", "127.0.0.1")];
    browser.post_with("/sign-in", &[("person", &handler.token)], &through).await.expect(422);
    browser.post("/sign-in", &[("person", &handler.token)]).await.leads_to("/console");
    browser.get("/console").await.expect(200);
    open.stop().await;

    let app = spawn_app().await;
    let handler = app.handler().await;
    let mut browser = Browser::new(&app);
    let page = browser.get("/sign-in").await.expect(200);
    assert!(!page.html.contains("Veera"), "nobody is named to a stranger");
    browser.post("/sign-in", &[("person", &handler.token)]).await.expect(422).says("Tunnusta ei löydy");
    app.stop().await;
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let mut browser = signed_in(&app, &handler).await;
    for headers in [vec![("sec-fetch-site", "cross-site")], vec![("origin", "https://evil.example")]] {
        browser.post_with("/sign-out", &[], &headers).await.expect(403).says("toiselta sivustolta");
    }
    browser.get("/console").await.expect(200);
    app.stop().await;
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let mut refused = 0;
    for _ in 0..15 {
        refused += u32::from(browser.post("/sign-in", &[("token", "vir_0")]).await.status == 429);
    }
    assert!((3..=5).contains(&refused), "{refused}");
    app.stop().await;
}

#[tokio::test]
async fn the_queue_shows_what_is_due_first_and_danger_before_all() {
    let app = spawn_app().await;
    app.drafted(&json!({ "id": "a", "text": "Katuvalo on pimeänä Koulutiellä." })).await;
    app.now_is("2026-03-10T08:15:00Z");
    app.drafted(&json!({ "id": "b", "text": "Sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä! <b>x</b>" }))
        .await;
    let mut browser = signed_in(&app, &app.handler().await).await;
    let page = browser.get("/console?view=all").await.expect(200).says("Mahdollinen hätätilanne odottaa ihmistä: 1");
    let place = |number: &str| page.html.find(number).unwrap_or_else(|| panic!("{number}: {}", page.html));
    assert!(place("HRJ/2026/00002") < place("HRJ/2026/00001"), "danger stands first");
    let only = browser.get("/console?view=all&risk=emergency").await.expect(200);
    assert!(only.html.contains("HRJ/2026/00002") && !only.html.contains("HRJ/2026/00001"), "{}", only.html);
    browser.get("/console?view=mine").await.expect(200).says("Täällä ei ole asioita");
    // Another view keeps the filter, and says how many cases it holds.
    only.says("view=mine&amp;risk=emergency\">Omani <span class=\"count\">0<").says("Kaikki <span class=\"count\">1<");
    page.says("Kaikki <span class=\"count\">2<");
    // Who holds no post has the work of a unit by its filter.
    let unit = browser.get("/console?view=all&department=technical").await.expect(200).says("HRJ/2026/00001");
    unit.says("<option value=\"technical\" selected>");
    browser.get("/console?view=all&department=wellbeing").await.expect(200).says("Täällä ei ole asioita");
    // What cannot be read filters nothing; it is never an error.
    browser
        .get("/console?view=%00&status=nonsense&service=..%2f&language=xx&cursor=zz")
        .await
        .expect(200)
        .says("HRJ/2026/00001");
    app.stop().await;
}

#[tokio::test]
async fn a_language_is_chosen_once_and_kept() {
    let app = spawn_app().await;
    let mut browser = signed_in(&app, &app.handler().await).await;
    browser.get("/console").await.says("<html lang=\"fi\">").says("Työjono");
    browser.get("/console?lang=sv").await.says("<html lang=\"sv\">").says("Arbetskö");
    browser.get("/console").await.says("<html lang=\"sv\">");
    browser.get("/console?lang=en&view=all").await.says("Queue").says("/console?lang=fi&amp;view=all");
    app.stop().await;
}

#[tokio::test]
async fn the_help_tells_the_keys_and_every_check() {
    let app = spawn_app().await;
    let mut browser = signed_in(&app, &app.handler().await).await;
    browser.get("/console").await.says("href=\"/console/help\" data-help");
    let page = browser.get("/console/help?lang=sv").await.expect(200).says("en människa beslutar").says("<kbd>?</kbd>");
    for check in CheckId::ALL {
        assert!(page.html.contains(&format!(">{check}<")), "{check}");
    }
    Browser::new(&app).get("/console/help").await.expect(200).says("ihminen päättää");
    app.stop().await;
}

#[tokio::test]
async fn a_role_without_the_right_reads_no_queue() {
    let app = spawn_app().await;
    let admin = app.person(Role::Admin, "Pia Pääkäyttäjä", None).await;
    let mut browser = signed_in(&app, &admin).await;
    browser.get("/console").await.expect(403).says("Tämä ei kuulu rooliisi");
    app.stop().await;
}

#[tokio::test]
async fn every_page_is_dressed_and_a_lost_program_gets_a_problem() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    for path in ["/m/harjuvesi", "/sign-in", "/no/such/page"] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert!(page.html.starts_with("<!doctype html>"), "{path}: {}", page.html);
        assert!(!page.html.contains("<style") && !page.html.contains(" style=") && !page.html.contains("onclick"));
    }
    app.nobody().get("/no/such/path").await.problem(404, "/problems/no-such-path");
    browser.get("/no/such/page").await.expect(404).says("Sivua ei löydy");
    app.stop().await;
}

#[tokio::test]
async fn assets_are_kept_by_their_hash() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let html = browser.get("/m/harjuvesi").await.html;
    let start = html.find("/assets/").unwrap();
    let address = &html[start..start + html[start..].find('"').unwrap()];
    let page = browser.get(address).await.expect(200);
    assert!(page.header("cache-control").contains("immutable"));
    let old = browser.get("/assets/000000000000/style.css").await.expect(200);
    assert_eq!(old.header("cache-control"), "no-store");
    browser.get("/assets/x/..%2f..%2fCargo.toml").await.expect(404);
    let accent = browser.get("/accent/harjuvesi.css").await.expect(200);
    assert!(accent.html.starts_with(":root{--accent:light-dark(#0b5d4b,#"), "{}", accent.html);
    browser.get("/accent/nowhere.css").await.expect(404);
    app.stop().await;
}
