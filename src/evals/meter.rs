//! What a piece of work took of a language model: tokens, money, and the gravest fault that it met.
//!
//! A [`Metered`] model stands behind the product's own code, which asks it as ever; whoever runs that code within
//! [`metered`] is told afterwards. So a case's tokens are counted beside those of twenty others, and a step that goes
//! on without its model, as in the service, cannot hide that nothing was recorded or that nobody answered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt as _};

use super::row::Used;
use crate::clock::{Ambient, helsinki};
use crate::model::accounts::prices::Prices;
use crate::model::cassette;
use crate::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest};

tokio::task_local! {
    /// What the work of this task took so far.
    static SPENT: Arc<Mutex<Spent>>;
}

/// What a piece of work took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spent {
    /// Tokens and money.
    pub used: Used,
    /// What the server called its model.
    pub served_by: Option<String>,
    /// The first fault of a call, whatever became of it; one that says nothing about its request before one that does.
    pub fault: Option<ChatError>,
    /// The steps in which a model was asked.
    pub steps: BTreeSet<&'static str>,
}

impl Spent {
    fn meets(&mut self, fault: &ChatError) {
        let graver = |kept: &ChatError| kept.is_of_the_request() && !fault.is_of_the_request();
        if self.fault.as_ref().is_none_or(graver) {
            self.fault = Some(fault.clone());
        }
    }

    fn add(&mut self, other: &Self) {
        self.used = self.used.and(other.used);
        self.steps.extend(&other.steps);
        if let Some(fault) = &other.fault {
            self.meets(fault);
        }
        if other.served_by.is_some() {
            self.served_by.clone_from(&other.served_by);
        }
    }
}

/// Runs work and tells what it took of metered models. Calls that the work leaves to other tasks are not counted. What
/// is metered within metered work counts for both.
pub async fn metered<T>(work: impl Future<Output = T>) -> (T, Spent) {
    let spent = Arc::<Mutex<Spent>>::default();
    let done = SPENT.scope(Arc::clone(&spent), work).await;
    let spent = spent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // Outside of metered work nobody counts.
    let _uncounted = SPENT.try_with(|outer| outer.lock().unwrap_or_else(PoisonError::into_inner).add(&spent));
    (done, spent)
}

/// A model whose calls are counted for the work that makes them.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn ChatModel>,
    name: String,
    prices: Arc<Prices>,
    ambient: Ambient,
}

impl Metered {
    /// Counts the calls of `inner`, which the settings call `name`, by these prices.
    #[must_use]
    pub fn new(inner: Arc<dyn ChatModel>, name: &str, prices: &Arc<Prices>, ambient: &Ambient) -> Self {
        Self { inner, name: name.to_owned(), prices: Arc::clone(prices), ambient: ambient.clone() }
    }

    fn note(&self, spent: &mut Spent, step: &'static str, result: &Result<ChatAnswer, ChatError>) {
        spent.used.calls += 1;
        spent.steps.insert(step);
        let answer = match result {
            Ok(answer) => answer,
            Err(fault) => return spent.meets(fault),
        };
        let used = &mut spent.used;
        used.input += answer.usage.input;
        used.cached += answer.usage.cached;
        used.output += answer.usage.output;
        if answer.endpoint == cassette::ENDPOINT {
            used.replayed += 1;
        } else {
            let day = self.ambient.now().to_zoned(helsinki()).date();
            let cost = self.prices.cost(&[&answer.model, &self.name], day, &answer.usage);
            used.cost_micros = used.cost_micros.saturating_add(cost.amount.millionths());
        }
        spent.served_by = Some(answer.model.clone());
    }
}

impl ChatModel for Metered {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        async move {
            let result = self.inner.chat(request).await;
            // Outside of metered work nobody counts.
            let _uncounted = SPENT.try_with(|spent| {
                let step = request.purpose.step;
                self.note(&mut spent.lock().unwrap_or_else(PoisonError::into_inner), step, &result);
            });
            result
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::chat::{Finish, Purpose, Sampling, Usage};

    /// Answers from an endpoint of that name, or not at all.
    #[derive(Debug)]
    struct Says(Result<&'static str, ChatError>);

    impl ChatModel for Says {
        fn chat<'a>(&'a self, _: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
            let answer = self.0.clone().map(|endpoint| ChatAnswer {
                content: Some("yes".to_owned()),
                refusal: None,
                tool_calls: Vec::new(),
                finish: Finish::Stop,
                usage: Usage { input: 1_000_000, cached: 0, output: 10, estimated: false },
                model: "gpt-4.1-mini".to_owned(),
                endpoint: endpoint.to_owned(),
                attempts: 1,
                latency: Duration::ZERO,
            });
            futures::future::ready(answer).boxed()
        }
    }

    fn model(says: Result<&'static str, ChatError>) -> Metered {
        Metered::new(Arc::new(Says(says)), "gpt-4.1-mini", &Arc::new(Prices::standard()), &Ambient::system())
    }

    fn request() -> ChatRequest {
        ChatRequest {
            purpose: Purpose {
                municipality: "harjuvesi".parse().unwrap(),
                case: None,
                step: "eval",
                prompt: "p@1".to_owned(),
                prompt_hash: String::new(),
            },
            messages: Vec::new(),
            tools: Vec::new(),
            output: None,
            sampling: Sampling { temperature: 0.0, max_tokens: 10, seed: None },
        }
    }

    #[tokio::test]
    async fn each_work_counts_its_own_calls() {
        let (live, replayed) = (model(Ok("primary")), model(Ok(cassette::ENDPOINT)));
        let request = request();
        let one = metered(async {
            live.chat(&request).await.unwrap();
            replayed.chat(&request).await.unwrap();
        });
        let other = metered(replayed.chat(&request));
        let (((), one), (_, other)) = futures::join!(one, other);
        assert_eq!((one.used.calls, one.used.replayed, one.used.input), (2, 1, 2_000_000));
        assert!(one.used.cost_micros > 0 && one.served_by.as_deref() == Some("gpt-4.1-mini"));
        assert_eq!((other.used.calls, other.used.replayed, other.used.cost_micros), (1, 1, 0));
        assert!(live.chat(&request).await.is_ok(), "outside of metered work, too");
    }

    #[tokio::test]
    async fn what_is_metered_within_metered_work_counts_for_both() {
        let (live, request) = (model(Ok("primary")), request());
        let (inner, outer) = metered(async {
            live.chat(&request).await.unwrap();
            metered(live.chat(&request)).await.1
        })
        .await;
        assert_eq!((inner.used.calls, outer.used.calls, outer.used.input), (1, 2, 2_000_000));
        assert!(outer.steps.contains("eval") && outer.used.cost_micros == 2 * inner.used.cost_micros);
    }

    #[tokio::test]
    async fn a_fault_of_the_address_goes_before_one_of_the_request() {
        let (refuses, silent) = (model(Err(ChatError::TooLong)), model(Err(ChatError::Unreachable)));
        let request = request();
        let both = async { (refuses.chat(&request).await.is_err(), silent.chat(&request).await.is_err()) };
        assert_eq!(
            metered(both).await,
            (
                (true, true),
                Spent {
                    used: Used { calls: 2, ..Used::default() },
                    fault: Some(ChatError::Unreachable),
                    steps: BTreeSet::from(["eval"]),
                    served_by: None,
                }
            )
        );
    }

    #[tokio::test]
    async fn the_first_fault_is_kept_whatever_the_work_makes_of_it() {
        let (silent, request) = (model(Err(ChatError::Unreachable)), request());
        let (done, spent) = metered(async { silent.chat(&request).await.unwrap_or_else(|_| unreachable()) }).await;
        assert_eq!(done.endpoint, "offline");
        assert_eq!((spent.fault, spent.used.calls), (Some(ChatError::Unreachable), 1));
    }

    fn unreachable() -> ChatAnswer {
        ChatAnswer {
            content: None,
            refusal: None,
            tool_calls: Vec::new(),
            finish: Finish::Stop,
            usage: Usage::default(),
            model: String::new(),
            endpoint: "offline".to_owned(),
            attempts: 0,
            latency: Duration::ZERO,
        }
    }
}
