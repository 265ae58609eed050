/** A user agent in words: the program and the system, as far as its text says. */

const PROGRAMS = [
  [/coder-cli\/v?([\w.+-]+)/i, "Coder CLI"],
  [/terraform-provider-coderd\/v?([\w.+-]+)/i, "Terraform provider"],
  [/coder-toolbox\/v?([\w.+-]+)/i, "Coder for JetBrains"],
  [/vscode\/([\w.+-]+)/i, "VS Code"],
  [/Electron\/([\d.]+)/, "Electron"],
  [/Edg(?:e|A|iOS)?\/(\d+)/, "Edge"],
  [/OPR\/(\d+)/, "Opera"],
  [/Firefox\/(\d+)/, "Firefox"],
  [/FxiOS\/(\d+)/, "Firefox"],
  [/(?:HeadlessChrome|Chrome|CriOS)\/(\d+)/, "Chrome"],
  [/Version\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari/, "Safari"],
  [/curl\/([\d.]+)/i, "curl"],
  [/Wget\/([\d.]+)/, "Wget"],
  [/python-requests\/([\d.]+)/i, "Python requests"],
  [/python-httpx\/([\d.]+)/i, "Python httpx"],
  [/Python-urllib\/([\d.]+)/i, "Python urllib"],
  [/Go-http-client\/([\d.]+)/, "Go client"],
  [/okhttp\/([\d.]+)/i, "OkHttp"],
];
const SYSTEMS = [
  [/Android ([\d.]+)/, (version) => `Android ${version}`],
  [/(?:iPhone|iPad).*? OS ([\d_]+)/, (version) => `iOS ${version.replaceAll("_", ".")}`],
  [/Mac OS X|darwin/i, () => "macOS"],
  [/Windows|\(windows/i, () => "Windows"],
  [/CrOS/, () => "ChromeOS"],
  [/Linux|linux/, () => "Linux"],
];

/** The words for a user agent; "" where it says nothing that is known. */
export function agentInWords(text) {
  const program = PROGRAMS.map(([pattern, name]) => [pattern.exec(text), name]).find(([match]) => match);
  const system = SYSTEMS.map(([pattern, name]) => [pattern.exec(text), name]).find(([match]) => match);
  const parts = [program && `${program[1]} ${program[0][1]}`, system && system[1](system[0][1] ?? "")];
  return parts.filter(Boolean).join(" · ");
}
