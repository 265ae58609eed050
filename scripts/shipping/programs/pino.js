// Logs each line of a file by pino to standard output: node pino.js LINES
const fs = require("fs");
const pino = require("pino");

const logger = pino();
for (const line of fs.readFileSync(process.argv[2], "utf8").split("\n")) {
  if (line) logger.info(line);
}
