-- +goose Up

-- What the processes that serve watchers know together of who watches what:
-- nothing that is not put in again after a loss, so it is kept out of the
-- write-ahead log. Names and infos of watchers are whatever bytes they sent.
-- What a node put in goes with its lease; ends_at 0 is one that has left.
CREATE UNLOGGED TABLE live_nodes (
    node    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    ends_at BIGINT NOT NULL
) WITH (fillfactor = 50);

-- How many connections of a node sit in a channel.
CREATE UNLOGGED TABLE live_seats (
    channel BYTEA   NOT NULL,
    node    TEXT COLLATE "C" NOT NULL REFERENCES live_nodes,
    n       INTEGER NOT NULL,
    PRIMARY KEY (channel, node)
);
CREATE INDEX live_seats_node ON live_seats (node);

-- The channels that count as occupied. Where nobody sits any more, settles is
-- the node that was told so and has to settle it, else ''.
CREATE UNLOGGED TABLE live_occupied (
    channel BYTEA NOT NULL PRIMARY KEY,
    settles TEXT COLLATE "C" NOT NULL
);
CREATE INDEX live_occupied_settles ON live_occupied (settles) WHERE settles <> '';

-- How many connections of a user on a node are in a presence channel. His info
-- is the same in all rows of a channel.
CREATE UNLOGGED TABLE live_members (
    channel BYTEA   NOT NULL,
    member  BYTEA   NOT NULL,
    node    TEXT COLLATE "C" NOT NULL REFERENCES live_nodes,
    n       INTEGER NOT NULL,
    info    BYTEA, -- NULL: he has none
    PRIMARY KEY (channel, member, node)
);
CREATE INDEX live_members_node ON live_members (node);

-- The last message of channels that keep one.
CREATE UNLOGGED TABLE live_last (
    channel BYTEA  NOT NULL PRIMARY KEY,
    message BYTEA  NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX live_last_ends ON live_last (ends_at);

-- Which topics the session of a process listens to: nobody is notified of what
-- nobody listens to, since all that commit notifications wait for each other.
CREATE UNLOGGED TABLE live_topics (
    topic TEXT COLLATE "C" NOT NULL,
    pid   INTEGER NOT NULL,
    PRIMARY KEY (topic, pid)
);
CREATE INDEX live_topics_pid ON live_topics (pid);
