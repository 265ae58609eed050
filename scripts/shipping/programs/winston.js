// Logs each line of a file by winston's HTTP transport: node winston.js LINES HOST PORT PATH TOKEN
const fs = require("fs");
const winston = require("winston");

const [lines, host, port, path, token] = process.argv.slice(2);
const http = new winston.transports.Http({
  host,
  port: Number(port),
  path,
  headers: { "Coder-Session-Token": token, "Content-Type": "application/json" },
  batch: true,
  batchCount: 20,
  batchInterval: 500,
});
http.on("warn", (error) => console.error(String(error)));
const logger = winston.createLogger({ transports: [http] });
for (const line of fs.readFileSync(lines, "utf8").split("\n")) {
  if (line) logger.info(line);
}
