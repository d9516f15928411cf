/** The source packages whose series are applied both by vbuild and by GNU patch: small ones with many patches first. */

/** For every run of the tests; more than are needed, because mirrors lack files now and then. */
export const smallPackages: readonly string[] = (
  'cron unzip procmail arj tiff unace giflib apr-util audiofile fig2dev shadow dash ppp mdadm net-tools lua5.1 lua5.3 lua5.4 ' +
  'cdparanoia wireless-tools bc bzip2 lame jhead exuberant-ctags attr acl id-utils jbigkit libcap2 logrotate hdparm ncompress sharutils ' +
  'less mksh patch libpcap openntpd dnsmasq apr screen bridge-utils pptp-linux lsof zlib squashfs-tools libsndfile ' +
  'netcat-openbsd at ed zip vsftpd tftp-hpa mawk psutils radvd newt ethtool mtr iputils optipng unalz libid3tag gpm xpdf w3m'
).split(' ');

/** For the full run. */
export const furtherPackages: readonly string[] = (
  'exim4 openssh libxml2 inetutils procps openjpeg2 fribidi netpbm-free xterm iproute2 strace tcpdump fontconfig pam m4 bison diffutils ' +
  'libjpeg-turbo cdrkit fetchmail rsync tcsh man-db slrn sox vorbis-tools sysvinit parted dosfstools nvi bsdgames enscript a2ps gv lynx ' +
  'minicom lrzsz most rcs gdbm dialog cabextract libpng1.6 tin irssi pngcrush psmisc ncurses freetype lcms2 libwebp'
).split(' ');
