/** Browsers, devices and crawlers as they name themselves. Tests hold that `isbot` knows every crawler here and no other entry. */
export type DeviceType = 'desktop' | 'mobile' | 'tablet' | 'ctv' | 'other';

export interface Device {
  readonly userAgent: string;
  readonly type: DeviceType;
  /** `,"user_agent":"…"` and `,"device_type":"…"` */
  readonly userAgentMember: string;
  readonly typeMember: string;
  readonly weight: number;
}

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS';
const SAFARI = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';

const device = (type: DeviceType, weight: number, userAgent: string): Device => ({
  type,
  weight,
  userAgent,
  userAgentMember: `,"user_agent":"${userAgent}"`,
  typeMember: `,"device_type":"${type}"`,
});

export const DEVICES: readonly Device[] = [
  device('desktop', 9, `${WINDOWS} ${WEBKIT} Chrome/141.0.0.0 Safari/537.36`),
  device('desktop', 5, `${WINDOWS} ${WEBKIT} Chrome/140.0.0.0 Safari/537.36`),
  device('desktop', 4, `${WINDOWS} ${WEBKIT} Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`),
  device('desktop', 3, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0'),
  device('desktop', 5, `${MAC} ${WEBKIT} Chrome/141.0.0.0 Safari/537.36`),
  device('desktop', 4, `${MAC} ${SAFARI} Version/18.6 Safari/605.1.15`),
  device('desktop', 1, 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'),
  device('desktop', 1, `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/140.0.0.0 Safari/537.36`),
  device('mobile', 13, `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36`),
  device('mobile', 7, `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36`),
  device('mobile', 4, `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`),
  device('mobile', 3, `Mozilla/5.0 (Linux; Android 15; Pixel 8 Build/AP4A.250205.002; wv) ${WEBKIT} Version/4.0 Chrome/140.0.7339.51 Mobile Safari/537.36`),
  device('mobile', 12, `${IPHONE} 18_6 like Mac OS X) ${SAFARI} Version/18.6 Mobile/15E148 Safari/604.1`),
  device('mobile', 6, `${IPHONE} 18_5 like Mac OS X) ${SAFARI} Version/18.5 Mobile/15E148 Safari/604.1`),
  device('mobile', 3, `${IPHONE} 17_7 like Mac OS X) ${SAFARI} CriOS/141.0.7390.41 Mobile/15E148 Safari/604.1`),
  device('mobile', 1, 'Mozilla/5.0 (Android 15; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0'),
  device('tablet', 3, `Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) ${SAFARI} Version/17.7 Mobile/15E148 Safari/604.1`),
  device('tablet', 2, `Mozilla/5.0 (Linux; Android 14; SM-X510) ${WEBKIT} Chrome/140.0.0.0 Safari/537.36`),
  device('ctv', 2, `Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) ${WEBKIT} 94.0.4606.31/7.0 TV Safari/537.36`),
  device('ctv', 2, `Mozilla/5.0 (Web0S; Linux/SmartTV) ${WEBKIT} Chrome/94.0.4606.128 Safari/537.36 WebAppManager`),
  device('ctv', 1, 'Roku/DVP-14.5 (14.5.4.5934-C2)'),
  device('other', 0.5, `Mozilla/5.0 (PlayStation; PlayStation 5/7.40) ${SAFARI} Version/15.4 Safari/605.1.15`),
];

/** Crawlers and scripts that say what they are. */
export const BOTS: readonly Device[] = [
  device('desktop', 5, 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'),
  device(
    'mobile',
    4,
    `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) ${WEBKIT} Chrome/141.0.7390.54 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
  ),
  device('desktop', 3, `Mozilla/5.0 ${WEBKIT} (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36`),
  device('desktop', 2, 'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)'),
  device('desktop', 2, 'Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)'),
  device('desktop', 2, `Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)`),
  device('desktop', 3, `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} HeadlessChrome/141.0.0.0 Safari/537.36`),
  device('other', 2, 'python-requests/2.32.3'),
  device('other', 1, 'Go-http-client/2.0'),
  device('other', 1, 'curl/8.14.1'),
];
