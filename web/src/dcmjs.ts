// In place of dcmjs. Cornerstone takes its loggers from it and, for DICOM that never comes here, its
// dictionary; a megabyte for that is too much. Warnings and errors go to the console, the rest is
// silent.
interface Logger {
  trace(...words: unknown[]): void;
  debug(...words: unknown[]): void;
  info(...words: unknown[]): void;
  log(...words: unknown[]): void;
  warn(...words: unknown[]): void;
  error(...words: unknown[]): void;
  setLevel(): void;
  setDefaultLevel(): void;
  getLevel(): number;
  getLogger(name: string): Logger;
}

const silent = (): void => undefined;

function logger(name: string): Logger {
  return {
    trace: silent,
    debug: silent,
    info: silent,
    log: silent,
    warn: (...words) => console.warn(name, ...words),
    error: (...words) => console.error(name, ...words),
    setLevel: silent,
    setDefaultLevel: silent,
    getLevel: () => 3,
    getLogger: (child) => logger(child),
  };
}

export const log = logger('viewer');
export const constants: Readonly<Record<string, string>> = {};
export default {
  log,
  constants,
  data: { DicomMetaDictionary: { dictionary: {}, nameMap: {} } },
  utilities: { DicomMetadataListener: class {} },
  async: { AsyncDicomReader: class {} },
};
