/** What this page was built from; apps/pages/build.mjs puts it in. */
declare const BUILD_HASH: string;
