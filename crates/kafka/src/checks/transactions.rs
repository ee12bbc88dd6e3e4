//! Whether transactions may be begun.

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use super::{Check, On};
use crate::admin::{AdminError, Right, authenticate};
use crate::client::Context;

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, _result: &DeliveryResult<'_>, (): ()) {}
}

impl Check<'_> {
    /// Makes a producer with a transactional id of its own, which ends nobody's transaction.
    pub(super) fn transactions(&mut self) {
        let id = format!("{}.check", self.kafka.group_id);
        let prefix = self.kafka.group_id.clone();
        match self.begin(&id) {
            Ok(()) => self.found(format!("transactional ids {prefix}…"), "may be used"),
            Err(Failed::Denied) => self.denied(
                &[Right::Write, Right::Describe],
                On::Transactions(&prefix),
            ),
            Err(Failed::Client(error)) => self.failed(&error),
            Err(Failed::Other(why)) => self.wrong(
                format!("no transaction can be begun: {why}"),
                "the cluster needs its topic __transaction_state in order, and in-sync replicas for it",
            ),
        }
    }

    fn begin(&self, id: &str) -> Result<(), Failed> {
        let context = self.admin.context();
        let mut config = self.admin.config().clone();
        config.set("transactional.id", id);
        let producer: BaseProducer<Context> = config
            .create_with_context(context.clone())
            .map_err(|error| Failed::Client(AdminError::Settings(context.describe(&error))))?;
        authenticate(producer.client(), context).map_err(Failed::Client)?;
        let begun = producer.init_transactions(self.admin.wait());
        begun.map_err(|error| match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed) => Failed::Denied,
            _ => Failed::Other(context.describe(&error)),
        })
    }
}

enum Failed {
    Denied,
    Client(AdminError),
    Other(String),
}
