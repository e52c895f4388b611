import type { ConnectorConfig } from "./connect.ts";
import type { Mariadb } from "./mariadb.ts";
import type { Postgres } from "./postgres.ts";

/** What the records of a connector are about, and how its topics are called. */
export interface Capture {
  /** First part of each topic: `<prefix>.<schema or database>.<table>`. */
  readonly prefix: string;
  /** Tables as the connector names them, such as `public.customers` or `bank.customers`, comma separated. */
  readonly tables: string;
  /** Of each topic that the connector makes. Default 1. */
  readonly partitions?: number;
}

/** The worker makes no topic on its own unless it is told how. */
function topicsWith(partitions = 1): ConnectorConfig {
  return {
    "topic.creation.default.partitions": String(partitions),
    "topic.creation.default.replication.factor": "1",
  };
}

/** Where a connector finds its PostgreSQL. */
export function postgresAddress(postgres: Postgres): ConnectorConfig {
  return {
    "database.hostname": postgres.host,
    "database.port": String(postgres.port),
    "database.user": postgres.user,
    "database.password": postgres.password,
    "database.dbname": postgres.database,
  };
}

/** The Debezium connector of a PostgreSQL, over `pgoutput`. Its slot and publication are made by itself and named after the prefix. */
export function postgresConnector(postgres: Postgres, capture: Capture): ConnectorConfig {
  const { prefix, tables, partitions } = capture;
  return {
    ...topicsWith(partitions),
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    ...postgresAddress(postgres),
    "plugin.name": "pgoutput",
    "slot.name": prefix,
    "publication.name": prefix,
    "publication.autocreate.mode": "filtered",
    "topic.prefix": prefix,
    "table.include.list": tables,
    "poll.interval.ms": "20",
  };
}

/** The Debezium connector of a MariaDB. */
export function mariadbConnector(mariadb: Mariadb, capture: Capture): ConnectorConfig {
  const { prefix, tables, partitions } = capture;
  return {
    ...topicsWith(partitions),
    "connector.class": "io.debezium.connector.mariadb.MariaDbConnector",
    "database.hostname": mariadb.host,
    "database.port": String(mariadb.port),
    "database.user": mariadb.user,
    "database.password": mariadb.password,
    "database.server.id": "360",
    "database.include.list": mariadb.database,
    "database.ssl.mode": "disable",
    "schema.history.internal": "io.debezium.storage.file.history.FileSchemaHistory",
    "schema.history.internal.file.filename": "${dataDir}/schema-history",
    "topic.prefix": prefix,
    "table.include.list": tables,
    "poll.interval.ms": "20",
  };
}
