// What is measured against: kafkajs, JSON.parse and one upsert for each record, in the order they come.
//   node plain-loop.mjs <brokers> <topic> <mongodb uri>
import { Kafka, logLevel } from "kafkajs";
import { MongoClient } from "mongodb";

const [brokers, topic, uri] = process.argv.slice(2);
const client = await new MongoClient(uri).connect();
const rows = client.db().collection("profiles");
const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: `plain-${topic}` });
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    if (message.value === null) return;
    const { after } = JSON.parse(message.value.toString());
    if (after !== null) await rows.replaceOne({ _id: after.id }, after, { upsert: true });
  },
});
