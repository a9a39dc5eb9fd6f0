CREATE TABLE clips (
  id VARCHAR NOT NULL,
  device VARCHAR NOT NULL,
  complete BOOLEAN NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX ix_clips_device ON clips (device);
CREATE TABLE counters (
  name VARCHAR NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE deleted (
  clip VARCHAR NOT NULL,
  device VARCHAR NOT NULL,
  asked VARCHAR NOT NULL,
  what JSON NOT NULL,
  swept BOOLEAN NOT NULL,
  PRIMARY KEY (clip)
);
CREATE INDEX ix_deleted_swept ON deleted (swept);
CREATE TABLE households (
  name VARCHAR NOT NULL,
  claims JSON NOT NULL,
  PRIMARY KEY (name)
);
CREATE TABLE messages (
  id VARCHAR NOT NULL,
  device VARCHAR NOT NULL,
  clip VARCHAR NOT NULL,
  recipient VARCHAR NOT NULL,
  text VARCHAR NOT NULL,
  begin BIGINT NOT NULL,
  "end" BIGINT NOT NULL,
  because JSON NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX ix_messages_clip ON messages (clip);
CREATE INDEX ix_messages_device ON messages (device);
CREATE TABLE situations (
  device VARCHAR NOT NULL,
  situation JSON NOT NULL,
  PRIMARY KEY (device)
);
CREATE TABLE parts (
  clip VARCHAR NOT NULL,
  number INTEGER NOT NULL,
  last BOOLEAN NOT NULL,
  begin BIGINT NOT NULL,
  "end" BIGINT NOT NULL,
  digest VARCHAR NOT NULL,
  sealed VARCHAR NOT NULL,
  facts JSON NOT NULL,
  PRIMARY KEY (clip, number),
  FOREIGN KEY(clip) REFERENCES clips (id)
);
CREATE TABLE transcripts (
  clip VARCHAR NOT NULL,
  recognizer VARCHAR NOT NULL,
  text VARCHAR NOT NULL,
  words JSON NOT NULL,
  PRIMARY KEY (clip),
  FOREIGN KEY(clip) REFERENCES clips (id)
);
CREATE TABLE turns (
  clip VARCHAR NOT NULL,
  owner VARCHAR,
  beat BIGINT NOT NULL,
  PRIMARY KEY (clip),
  FOREIGN KEY(clip) REFERENCES clips (id)
);
